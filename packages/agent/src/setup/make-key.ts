import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { LandfallError } from '@landfall/stack'
import { type AgentKey, readAgentKeyFile } from '../state/agent-key.ts'
import { readDataKey, rotateAgentKey } from '../state/data-key.ts'

/**
 * Makes the key of an agent: 64 hex digits in a file that only its owner reads. It is sent nowhere; without it the agent's state is lost.
 * @throws LandfallError `E_AGENT_EXISTS` when the file is there
 */
export function makeKeyFile(file: string): AgentKey {
  const key = randomBytes(32)
  writeSecret(file, key.toString('hex'))
  return key
}

/** Makes the token of the local API on a port, in a file that only its owner reads. @throws LandfallError `E_AGENT_EXISTS` */
export function makeTokenFile(file: string): string {
  const token = randomBytes(32).toString('base64url')
  writeSecret(file, token)
  return token
}

function writeSecret(file: string, text: string): void {
  let handle: number
  try {
    handle = openSync(file, 'wx', 0o600)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
    throw new LandfallError({
      code: 'E_AGENT_EXISTS',
      message: `There is a file at ${file} already.`,
      hint: 'Give another path. A key that is overwritten takes the state that it opens with it.',
    })
  }
  try {
    writeSync(handle, `${text}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/**
 * Gives an agent a new key: made beside the old one, then the state is wrapped by it, then it takes the old one's name. Killed
 * anywhere, calling it again goes on. The agent may run meanwhile and reads the new one at its next start.
 *
 * @throws LandfallError `E_AGENT_KEY_WRONG`, `E_AGENT_RUNNING` when another rotation is under way
 */
export function rotateKeyFile(directory: string, file: string): void {
  const next = `${file}.new`
  if (existsSync(next) && opens(directory, next)) {
    // Cut off after the state had changed hands.
    renameSync(next, file)
    return
  }
  rmSync(next, { force: true })
  const from = readAgentKeyFile(file)
  if (!readDataKey(directory, from)) throw noState(directory)
  rotateAgentKey(directory, from, makeKeyFile(next))
  renameSync(next, file)
}

function opens(directory: string, file: string): boolean {
  try {
    return readDataKey(directory, readAgentKeyFile(file)) !== null
  } catch (error) {
    if (LandfallError.is(error, 'E_AGENT_KEY_WRONG') || LandfallError.is(error, 'E_AGENT_KEY_FILE')) return false
    throw error
  }
}

function noState(directory: string): LandfallError {
  return new LandfallError({
    code: 'E_AGENT_SETUP',
    message: `There is no agent in ${directory}.`,
    hint: 'Make one with `landfall agent init`, or name its directory with --data.',
  })
}
