import { chmodSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { runChild } from '../testing/run-child.ts'
import { newKey, scratch } from '../testing/scratch.ts'
import { readAgentKey, readAgentKeyFile } from './agent-key.ts'
import { AgentState } from './agent-state.ts'
import { rotateAgentKey } from './data-key.ts'

const files = scratch()
afterAll(() => files.remove())

function prepared(key: Buffer): string {
  const directory = files.path()
  const state = AgentState.open(directory, key)
  state.put('a', 'kept')
  state.close()
  return directory
}

const valueWith = (directory: string, key: Buffer): unknown => {
  try {
    const state = AgentState.open(directory, key)
    const value = state.get('a')
    state.close()
    return value
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('rotateAgentKey', () => {
  it('lets the new key in and the old one no more, while the agent runs too', () => {
    const [from, to] = [newKey(), newKey()]
    const directory = prepared(from)
    const running = AgentState.open(directory, from)
    rotateAgentKey(directory, from, to)
    running.put('a', 'newer')
    running.close()
    expect(valueWith(directory, to)).toBe('newer')
    expect(valueWith(directory, from)).toBe('E_AGENT_KEY_WRONG')
    expect(() => rotateAgentKey(directory, from, newKey())).toThrow(
      expect.objectContaining({ code: 'E_AGENT_KEY_WRONG' }),
    )
    expect(valueWith(directory, to)).toBe('newer')
  })

  it.each(['write', 'sync', 'rename', 'sync directory', 'done'])(
    'killed before "%s" leaves one of the keys working, and can be done again',
    async (step) => {
      const [from, to] = [newKey(), newKey()]
      const directory = prepared(from)
      const ended = await runChild('./rotate-child.ts', [directory, from.toString('hex'), to.toString('hex'), step])
      expect(ended.signal).toBe('SIGKILL')
      const done = step === 'sync directory' || step === 'done'
      expect(valueWith(directory, from)).toBe(done ? 'E_AGENT_KEY_WRONG' : 'kept')
      expect(valueWith(directory, to)).toBe(done ? 'kept' : 'E_AGENT_KEY_WRONG')
      const third = newKey()
      rotateAgentKey(directory, done ? to : from, third)
      expect(valueWith(directory, third)).toBe('kept')
    },
  )
})

describe('readAgentKey', () => {
  const key = newKey()
  it('takes the file before the variable', () => {
    const file = files.path()
    writeFileSync(file, `${key.toString('hex')}\n`, { mode: 0o440 })
    const env = { LANDFALL_AGENT_KEY_FILE: file, LANDFALL_AGENT_KEY: newKey().toString('hex') }
    expect(readAgentKey(env)).toEqual(key)
    expect(readAgentKey({ LANDFALL_AGENT_KEY: key.toString('hex') })).toEqual(key)
  })

  it('refuses none, one that is not a key, and a file that others can read, without showing it', () => {
    const file = files.path()
    const refused = (work: () => unknown) => {
      expect(work).toThrow(expect.objectContaining({ code: 'E_AGENT_KEY_FILE' }))
      expect(work).not.toThrow(/hunter2|cafe/)
    }
    refused(() => readAgentKey({}))
    refused(() => readAgentKey({ LANDFALL_AGENT_KEY: 'hunter2' }))
    refused(() => readAgentKeyFile(file))
    writeFileSync(file, 'cafe', { mode: 0o600 })
    refused(() => readAgentKeyFile(file))
    writeFileSync(file, key.toString('hex'))
    chmodSync(file, 0o604)
    refused(() => readAgentKeyFile(file))
  })
})
