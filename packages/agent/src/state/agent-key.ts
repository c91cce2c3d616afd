import { readFileSync, statSync } from 'node:fs'
import { LandfallError } from '@landfall/stack'

/** The key given at setup, 32 bytes. It wraps the data key and is kept outside of the agent's directory. */
export type AgentKey = Buffer

/**
 * Reads the key from `LANDFALL_AGENT_KEY_FILE` (64 hex digits in a file), else from `LANDFALL_AGENT_KEY` (64 hex digits).
 *
 * @throws LandfallError `E_AGENT_KEY_FILE` when there is none, others can read the file, or it is not a key
 */
export function readAgentKey(env: Readonly<Record<string, string | undefined>>): AgentKey {
  const file = env.LANDFALL_AGENT_KEY_FILE
  if (file !== undefined && file !== '') return readAgentKeyFile(file)
  const given = env.LANDFALL_AGENT_KEY
  if (given === undefined || given === '') {
    throw refused(
      'No key was given to the agent.',
      'Set LANDFALL_AGENT_KEY_FILE to the file with the key made at setup, or LANDFALL_AGENT_KEY to the key itself.',
    )
  }
  return parseAgentKey(given, 'LANDFALL_AGENT_KEY')
}

/** Reads the key from a file of 64 hex digits. @throws LandfallError `E_AGENT_KEY_FILE` */
export function readAgentKeyFile(file: string): AgentKey {
  const info = statSync(file, { throwIfNoEntry: false })
  if (!info?.isFile()) throw refused(`There is no key at ${file}.`, 'Put the key that was made at setup there.')
  // The group may read: Kubernetes gives a mounted secret to the pod's group.
  if (process.platform !== 'win32' && (info.mode & 0o007) !== 0) {
    throw refused(`The key at ${file} can be read by others on this machine.`, `Run: chmod o-rwx ${file}`)
  }
  return parseAgentKey(readFileSync(file, 'utf8'), `The file ${file}`)
}

function parseAgentKey(text: string, where: string): AgentKey {
  if (/^[0-9a-f]{64}$/i.test(text.trim())) return Buffer.from(text.trim(), 'hex')
  throw refused(`${where} does not hold a key.`, 'It must be 64 hex digits, as `openssl rand -hex 32` prints.')
}

function refused(message: string, hint: string): LandfallError {
  return new LandfallError({ code: 'E_AGENT_KEY_FILE', message, hint })
}
