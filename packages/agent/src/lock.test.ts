import { afterAll, expect, it } from 'vitest'
import { takeLock } from './lock.ts'
import { runChild } from './testing/run-child.ts'
import { scratch } from './testing/scratch.ts'

const files = scratch()
afterAll(() => files.remove())

const running = expect.objectContaining({ code: 'E_AGENT_RUNNING' })

it('lets one process in, and the next when that one was killed', async () => {
  const directory = files.path()
  let refused: unknown = null
  const ended = await runChild('./lock-child.ts', [directory], (_, kill) => {
    try {
      takeLock(directory).release()
    } catch (error) {
      refused = error
    }
    kill()
  })
  expect(ended.signal).toBe('SIGKILL')
  expect(refused).toEqual(running)
  const lock = takeLock(directory)
  expect(() => takeLock(directory)).toThrow(running)
  lock.release()
  lock.release()
  takeLock(directory).release()
})
