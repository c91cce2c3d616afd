import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { newKey, scratch } from '../testing/scratch.ts'
import { AgentState } from './agent-state.ts'

const files = scratch()
afterAll(() => files.remove())

const run = promisify(execFile)
const canMount = process.getuid?.() === 0 && process.platform === 'linux'
if (!canMount) console.warn('not root: the state on a full disk is not checked here')

describe.skipIf(!canMount)('a full disk', () => {
  it('is said so, changes nothing, and the same state goes on when there is room', async () => {
    const mount = files.path()
    mkdirSync(mount)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', mount])
    try {
      writeFileSync(join(mount, 'other'), Buffer.alloc(1_000_000))
      const [directory, key] = [join(mount, 'agent'), newKey()]
      const state = AgentState.open(directory, key)
      const text = 'x'.repeat(50_000)
      let kept = 0
      const fill = () => {
        for (; kept < 200; kept++) state.put(`value/${kept}`, text)
      }
      expect(fill).toThrow(expect.objectContaining({ code: 'E_DISK_FULL', retryable: true }))
      expect(kept).toBeGreaterThan(3)
      expect(state.get(`value/${kept}`)).toBeUndefined()
      expect(state.verify()).toBe(kept)
      rmSync(join(mount, 'other'))
      state.put('after', text)
      expect(state.verify()).toBe(kept + 1)
      state.close()
      const again = AgentState.open(directory, key)
      expect(again.verify()).toBe(kept + 1)
      again.close()
    } finally {
      await run('umount', ['-l', mount])
    }
  })
})
