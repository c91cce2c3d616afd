import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LandfallError } from '@landfall/stack'
import { takeLock } from '../lock.ts'
import type { AgentKey } from './agent-key.ts'
import { tampered } from './refusals.ts'
import { type SealContext, sealer } from './seal.ts'

/** The wrapped data key has a file of its own, so that a wrong key is found before the database is even opened. */
const fileName = 'data.key'
const context: SealContext = ['landfall agent data key', 1]

/** The data key of a directory; null when there is none yet. Only reads. @throws LandfallError `E_AGENT_KEY_WRONG`, `E_AGENT_STATE_TAMPERED` */
export function readDataKey(directory: string, key: AgentKey): Buffer | null {
  requireKey(key)
  const text = readIfThere(join(directory, fileName))
  if (text === null) return null
  const [, wrapped] = /^landfall-data-key-1 ([A-Za-z0-9+/=]+)\n$/.exec(text) ?? []
  if (wrapped === undefined) throw tampered(fileName, 'is not a wrapped key')
  const dataKey = sealer(key).open(Buffer.from(wrapped, 'base64'), context)
  if (dataKey) return dataKey
  throw new LandfallError({
    code: 'E_AGENT_KEY_WRONG',
    message: `The key given to the agent does not open its state in ${directory}.`,
    hint: 'Give the key that was made at setup, or the one it was rotated to. Nothing was read or changed.',
  })
}

/** Makes the data key of a new directory. */
export function createDataKey(directory: string, key: AgentKey): Buffer {
  const dataKey = randomBytes(32)
  replace(directory, key, dataKey)
  return dataKey
}

/**
 * Wraps the data key under another key; afterwards the old one opens nothing here (it still opens an older copy of the
 * directory). One rename decides: killed at any point, one of the two keys works. The agent may run meanwhile; it needs the
 * new key at its next start.
 *
 * @param onStep called before each step with its name, for tests that kill
 * @throws LandfallError `E_AGENT_KEY_WRONG` when `from` is not the key in use, `E_AGENT_RUNNING` when another rotation is under way
 */
export function rotateAgentKey(directory: string, from: AgentKey, to: AgentKey, onStep?: (step: string) => void): void {
  requireKey(to)
  readDataKey(directory, from)
  const lock = takeLock(directory, 'rotate.lock')
  try {
    const dataKey = readDataKey(directory, from)
    if (!dataKey) throw tampered(fileName, 'is missing')
    replace(directory, to, dataKey, onStep)
  } finally {
    lock.release()
  }
}

function replace(directory: string, key: AgentKey, dataKey: Buffer, onStep?: (step: string) => void): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const part = join(directory, `${fileName}.part`)
  onStep?.('write')
  const file = openSync(part, 'w', 0o600)
  try {
    writeSync(file, `landfall-data-key-1 ${sealer(key).seal(dataKey, context).toString('base64')}\n`)
    onStep?.('sync')
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  onStep?.('rename')
  renameSync(part, join(directory, fileName))
  onStep?.('sync directory')
  for (const each of [directory, dirname(directory)]) syncDirectory(each)
  onStep?.('done')
}

/** A rename is durable when its directory is. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function requireKey(key: AgentKey): void {
  if (key.byteLength !== 32) throw new RangeError('the key of an agent has 32 bytes')
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
