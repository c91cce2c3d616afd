import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { CommandPort, HeldCommand } from './command-port.ts'
import { runAttempt } from './run-attempt.ts'

const held: HeldCommand = {
  deployment: {
    ...{ id: 'd1', name: 'd1', project: 'shop', prefix: 'd1', platform: 'local', model: 'push' },
    environment: {},
  },
  ...{ id: 'cmd_1', worker: 'api', version: null, command: 'reindex', attempt: 1, input: null },
  ...{ deadline: Date.now() + 600_000, epoch: 1, until: Date.now() + 15_000, cancelRequested: false },
}

/** An attempt whose renewals are answered by `renew`: whether its worker was told to stop, and what was written of it. */
async function attempt(renew: CommandPort['renew']) {
  const wrote: string[] = []
  let stopped = false
  const over = new AbortController()
  await runAttempt(
    {
      port: {
        renew,
        finish: async () => wrote.push('finish') > 0,
        postpone: async () => wrote.push('postpone') > 0,
        written: async () => ({ next: 1, chunks: 0, bytes: 0 }),
        output: async () => wrote.push('output') > 0,
      },
      invokerOf: () => ({
        invoke: async ({ signal }) => {
          signal.addEventListener('abort', () => over.abort(), { once: true })
          await sleep(10_000, undefined, { signal: over.signal }).catch(() => {
            stopped = true
          })
          return { ok: true, output: null }
        },
      }),
      check: async () => {},
      clock: { now: Date.now, sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}) },
      random: { next: () => 0.5 },
      log: { info: () => {}, warn: () => {} },
      leaseMs: 60,
      onChange: () => {},
    },
    { ...held, until: Date.now() + 60 },
    new AbortController().signal,
  )
  await sleep(0)
  return { stopped, wrote }
}

it('an attempt whose lease has passed on tells its worker to stop, and writes nothing more', async () => {
  expect(await attempt(async () => ({ ours: false, cancelled: false }))).toEqual({ stopped: true, wrote: [] })
})

it('so does one that could not renew for as long as its lease lasts', async () => {
  const away = () => Promise.reject(new Error('the store is away'))
  expect(await attempt(away)).toEqual({ stopped: true, wrote: [] })
})
