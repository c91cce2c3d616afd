import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askWebhook } from './ask-webhook.ts'
import { WebhookPace, webhookPause } from './webhook-pace.ts'

const wait = { answer: { status: 'wait' as const }, retryAfterMs: null }

describe('the pace of a webhook that waits', () => {
  it('is never below 2 s, grows to 30 s, and is what the receiver asks for, within bounds', () => {
    const asked = fc.option(fc.integer({ min: 0, max: 10_000_000 }))
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), asked, chance, (waits, retryAfterMs, random) => {
        const pause = webhookPause(waits, retryAfterMs, random)
        expect(pause).toBeGreaterThanOrEqual(Math.max(2_000, Math.min(retryAfterMs ?? 0, 900_000)))
        expect(pause).toBeLessThanOrEqual(Math.max(30_000, Math.min(retryAfterMs ?? 0, 900_000)))
      }),
    )
    expect(webhookPause(1, null, 0)).toBe(2_000)
    expect(webhookPause(9, null, 0.9999)).toBeGreaterThan(29_000)
  })

  it('lets looks between two calls have the last answer, and asks anew at another version', async () => {
    let now = 0
    let calls = 0
    const pace = new WebhookPace({ now: () => now }, { next: () => 0 })
    const ask = (key = 'a') =>
      pace.ask(key, async () => {
        calls += 1
        return wait
      })
    for (; now < 60_000; now += 500) expect((await ask()).status).toBe('wait')
    expect(calls).toBe(30)
    await ask('b')
    expect(calls).toBe(31)
    const passed = pace.ask('c', async () => ({ answer: { status: 'pass' }, retryAfterMs: null }))
    expect((await passed).status).toBe('pass')
  })

  it('is asked once at a time', async () => {
    let calls = 0
    const pace = new WebhookPace({ now: () => 0 }, { next: () => 0 })
    const open: (() => void)[] = []
    const slow = () =>
      pace.ask('a', () => {
        calls += 1
        return new Promise((done) => open.push(() => done(wait)))
      })
    const first = slow()
    expect((await slow()).status).toBe('wait')
    open[0]?.()
    await first
    expect(calls).toBe(1)
  })
})

describe('a receiver', () => {
  const answers: { status: number; retry?: string; body: string }[] = []
  const server = createServer((_, response) => {
    const { status, retry, body } = answers.shift() ?? { status: 500, body: '' }
    response.writeHead(status, retry === undefined ? {} : { 'retry-after': retry }).end(body)
  })
  beforeAll(() => new Promise<void>((done) => server.listen(0, '127.0.0.1', done)))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const now = Date.UTC(2026, 10, 21)
  const ask = (status: number, retry: string | undefined, body = '') => {
    answers.push({ status, body, ...(retry === undefined ? {} : { retry }) })
    return askWebhook({
      gate: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, timeout: '10s' },
      ...{ id: 'g', release: '1.0.0', now, fetch: globalThis.fetch },
      context: {
        ...{ worker: 'api', rollout: 'r', version: 'v' },
        deployment: {
          ...{ id: 'd1', name: 'd1', project: 'shop', prefix: 'd1', environment: {} },
          platform: 'local',
          model: 'pull',
        },
      },
      signer: { publicKey: 'key', sign: async () => Buffer.of(1) },
    })
  }

  it.each([
    [503, '7', 7_000],
    [429, new Date(now + 90_000).toUTCString(), 90_000],
    [200, '3', 3_000],
    [503, 'soon', null],
    [503, undefined, null],
    [429, new Date(now - 90_000).toUTCString(), 0],
  ])('that answers %i with Retry-After %s is asked again after %s ms at the earliest', async (status, retry, ms) => {
    const { answer, retryAfterMs } = await ask(status, retry, '{"status":"wait"}')
    expect(answer.status).toBe('wait')
    expect(retryAfterMs).toBe(ms)
  })

  it('that answers without end is not read to its end', async () => {
    expect((await ask(200, undefined, 'x'.repeat(20_000_000))).answer.status).toBe('wait')
  })
})
