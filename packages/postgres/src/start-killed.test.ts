import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Postmaster, runningPostmaster } from './postmaster.ts'
import { removePostgres } from './remove.ts'
import { startPostgres } from './start.ts'

const killed = vi.hoisted(() => ({ pid: 0 }))

// The first server that says it is ready is killed right after it was seen, before anybody looks again.
vi.mock('./postmaster.ts', async (original) => {
  const real = await original<{ runningPostmaster: typeof runningPostmaster }>()
  return {
    runningPostmaster: async (data: string): Promise<Postmaster | null> => {
      const seen = await real.runningPostmaster(data)
      if (seen?.ready && killed.pid === 0) {
        killed.pid = seen.pid
        process.kill(seen.pid, 'SIGKILL')
        while ((await real.runningPostmaster(data))?.pid === seen.pid) await sleep(5)
      }
      return seen
    },
  }
})

let base: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'landfall-pg-'))
})
afterEach(async () => {
  await removePostgres(join(base, 'db'))
  await rm(base, { recursive: true, force: true })
})

test('a server that is killed between being ready and being handed over is started again, not waited for', async () => {
  const server = await startPostgres({ directory: join(base, 'db'), timeoutMs: 15_000 })
  expect(killed.pid).toBeGreaterThan(0)
  expect(server.pid).not.toBe(killed.pid)
  expect(await runningPostmaster(await realpath(join(base, 'db', 'data')))).toMatchObject({
    pid: server.pid,
    ready: true,
  })
})
