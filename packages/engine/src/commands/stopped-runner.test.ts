import { expect, it, vi } from 'vitest'
import type { CommandPort, HeldCommand } from './command-port.ts'
import { runAttempt } from './run-attempt.ts'

const begun = Date.UTC(2026, 10, 21)
const held: HeldCommand = {
  deployment: {
    id: 'd1',
    name: 'd1',
    project: 'shop',
    prefix: 'd1',
    platform: 'local',
    model: 'push',
    environment: {},
  },
  ...{ id: 'cmd_1', worker: 'api', version: null, command: 'reindex', input: null, attempt: 1, epoch: 1 },
  ...{ deadline: begun + 60_000, until: begun + 15_000, cancelRequested: false },
}

/** Runs an attempt whose process is stopped, as by SIGSTOP, between the claim and the call. */
async function stoppedFor(ms: number) {
  let now = begun
  const invoke = vi.fn(async () => ({ ok: true, output: null }) as const)
  const finish = vi.fn(async () => true)
  const port: CommandPort = {
    renew: async () => ({ ours: true, cancelled: false }),
    finish,
    postpone: async () => true,
    written: async () => ({ next: 1, chunks: 0, bytes: 0 }),
    output: async () => true,
  }
  const check = async () => {
    now += ms
  }
  await runAttempt(
    {
      ...{ port, check, invokerOf: () => ({ invoke }), leaseMs: 15_000, onChange: () => {}, random: { next: () => 0 } },
      clock: {
        now: () => now,
        sleep: (_, signal) => new Promise((done) => signal?.addEventListener('abort', () => done())),
      },
      log: { info: () => {}, warn: (message) => expect.fail(message) },
    },
    held,
    new AbortController().signal,
  )
  return { invoke, finish }
}

it('one that was not stopped for long calls the worker', async () => {
  const { invoke, finish } = await stoppedFor(14_000)
  expect(invoke).toHaveBeenCalledOnce()
  expect(finish).toHaveBeenCalledWith(held, { status: 'succeeded', result: null }, begun + 14_000)
})

it('one that was stopped until its lease had run out leaves it: another may run it by now', async () => {
  const { invoke, finish } = await stoppedFor(15_000)
  expect(invoke).not.toHaveBeenCalled()
  expect(finish).not.toHaveBeenCalled()
})

it('one that was stopped until the deadline begins nothing any more, and says so', async () => {
  const { invoke, finish } = await stoppedFor(60_000)
  expect(invoke).not.toHaveBeenCalled()
  expect(finish).toHaveBeenCalledWith(held, expect.objectContaining({ status: 'expired' }), begun + 60_000)
})
