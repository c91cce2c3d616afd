import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { type CustomerSettings, customerSettings } from '@landfall/stack'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { SpoolLimits } from '../spool/limits.ts'
import { Spool } from '../spool/spool.ts'
import { AgentState } from '../state/agent-state.ts'
import { type Answering, otlpManager } from '../testing/otlp-manager.ts'
import { scratch } from '../testing/scratch.ts'
import { type AgentTelemetry, startTelemetry } from './start-telemetry.ts'
import type { Uplink } from './uplink.ts'

const files = scratch()
afterAll(() => files.remove())
const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const key = Buffer.alloc(32, 5)
const log = { info: () => {}, warn: () => {} }
/** Waits are short, so that a backoff is over soon; the time of day is the machine's. */
const clock = {
  now: () => Date.now(),
  sleep: (ms: number, signal?: AbortSignal) =>
    sleep(Math.min(ms, 20), undefined, { signal: signal ?? never }).then(() => {}),
}
const never = new AbortController().signal

interface Site {
  telemetry: AgentTelemetry
  spool: Spool
  say(telemetry: CustomerSettings['telemetry']): void
  send(signal: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  stop(): Promise<void>
}

async function site(
  uplink: Uplink | null,
  options: {
    directory?: string
    policy?: CustomerSettings['telemetry']
    env?: Record<string, string>
    limits?: SpoolLimits
    offset?: () => number
  } = {},
): Promise<Site> {
  const directory = options.directory ?? files.path()
  mkdirSync(directory, { recursive: true })
  const shifted = { ...clock, now: () => Date.now() + (options.offset?.() ?? 0) }
  const state = AgentState.open(directory, key)
  const spool = new Spool({
    directory,
    sealer: state.sealer('spool'),
    clock: shifted,
    ...(options.limits && { limits: options.limits }),
  })
  let customer = customerSettings.parse({ telemetry: options.policy ?? 'on' })
  const parts = {
    state,
    spool,
    clock: shifted,
    log,
    random: { next: () => 0.5 },
    settings: { inForce: () => customer },
    setup: { deployment: { id: 'dep_1', name: 'eu', project: 'acme' } },
  }
  const telemetry = await startTelemetry(parts as never, uplink, options.env)
  let stopped = false
  const stop = async () => {
    if (stopped) return
    stopped = true
    await telemetry.stop()
    spool.close()
    state.close()
  }
  open.push(stop)
  return {
    telemetry,
    spool,
    stop,
    say: (policy) => {
      customer = { ...customer, telemetry: policy }
    },
    send: (signal, body, headers = {}) => {
      const target = telemetry.target({ id: 'dep_1' })
      return fetch(`${target?.endpoint}/v1/${signal}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...target?.headers, ...headers },
        body: body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body),
      })
    },
  }
}
async function manager(answering?: Answering) {
  const made = await otlpManager(answering)
  open.push(made.close)
  return made
}
const until = async (done: () => boolean) => {
  while (!done()) await sleep(5)
}

const logs = (...lines: [body: string, severityNumber?: number][]) => ({
  resourceLogs: [
    {
      resource: {
        attributes: [
          { key: 'landfall.worker', value: { stringValue: 'api' } },
          { key: 'landfall.deployment.id', value: { stringValue: 'dep_forged' } },
        ],
      },
      scopeLogs: [
        { logRecords: lines.map(([body, severityNumber = 9]) => ({ severityNumber, body: { stringValue: body } })) },
      ],
    },
  ],
})
const spans = (...names: [name: string, code?: number][]) => ({
  resourceSpans: [{ scopeSpans: [{ spans: names.map(([name, code = 0]) => ({ name, status: { code } })) }] }],
})
const metrics = {
  resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [{ asInt: '1' }] } }] }] }],
}
const everything = { maxItems: 1_000, maxBytes: 1_000_000_000 }
const held = (spool: Spool) => spool.take(everything).map((item) => Buffer.from(item.body).toString())

describe('the intake', () => {
  it('takes what the workers send, stamped with the deployment, and nothing of anybody else', async () => {
    const { telemetry, spool, send } = await site(null)
    expect(telemetry.target({ id: 'dep_2' })).toBeNull()
    expect(telemetry.target({ id: 'dep_1' })?.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const answer = await send('logs', logs(['hello']))
    expect([answer.status, await answer.json()]).toEqual([200, {}])
    expect(
      (await send('traces', gzipSync(JSON.stringify(spans(['GET /']))), { 'content-encoding': 'gzip' })).status,
    ).toBe(200)
    const [first] = held(spool)
    expect(first).toContain('{"key":"landfall.deployment.id","value":{"stringValue":"dep_1"}}')
    expect(first).not.toContain('dep_forged')
    const statuses = await Promise.all([
      send('logs', logs(['x']), { authorization: 'Bearer wrong' }),
      send('logs', logs(['x']), { authorization: '' }),
      send('nonsense', {}),
      send('logs', { resourceLogs: 3 }),
      send('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityNumber: 'high' }] }] }] }),
      send('logs', logs(['x']), { 'content-type': 'text/plain' }),
      send('logs', Buffer.alloc(9 * 1024 * 1024)).catch(() => ({ status: 413 })),
      send('logs', gzipSync(Buffer.alloc(40_000_000)), { 'content-encoding': 'gzip' }),
    ])
    expect(statuses.map(({ status }) => status)).toEqual([401, 401, 404, 400, 400, 415, 413, 413])
    expect(spool.stats().items).toBe(2)
  })

  it('is found again by workers that run, after a restart', async () => {
    const directory = files.path()
    const before = await site(null, { directory })
    const target = before.telemetry.target({ id: 'dep_1' })
    await before.stop()
    const after = await site(null, { directory })
    expect(after.telemetry.target({ id: 'dep_1' })).toEqual(target)
    await after.stop()
    // Somebody else has the port: another one, so that new workers are told it.
    const taken = await site(null, { directory: files.path() })
    expect(taken.telemetry.target({ id: 'dep_1' })).not.toEqual(target)
  })

  it('goes on when a client breaks off', async () => {
    const { telemetry, send } = await site(null)
    const port = Number(new URL(telemetry.target({ id: 'dep_1' })?.endpoint ?? '').port)
    for (const text of ['POST /v1/logs HTTP/1.1\r\ncontent-length: 100\r\n\r\nab', 'nonsense\r\n\r\n', '']) {
      const socket = createConnection(port, '127.0.0.1')
      socket.on('error', () => {})
      await new Promise<void>((resolve) => socket.write(text, () => resolve()))
      socket.destroy()
    }
    expect((await send('logs', logs(['still there']))).status).toBe(200)
  })
})

describe('what the customer lets leave', () => {
  const all = async ({ send }: Site) => {
    const answers = [
      await send('logs', logs(['fine'], ['broken', 17])),
      await send('logs', logs(['fine too'])),
      await send('traces', spans(['well'], ['badly', 2])),
      await send('metrics', metrics),
    ]
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200])
  }

  it('off: nothing touches the disk', async () => {
    const here = await site(null, { policy: 'off' })
    await all(here)
    expect(here.spool.stats()).toEqual({ items: 0, bytes: 0, oldestAt: null, drops: [] })
    expect(here.telemetry.stats()).toMatchObject({ taken: 4, withheld: 4 })
  })

  it('errors only: lines of error and worse, failed spans, no metrics', async () => {
    const here = await site(null, { policy: 'errors-only' })
    await all(here)
    const kept = held(here.spool)
    expect(kept.length).toBe(2)
    expect(kept[0]).toContain('broken')
    expect(kept[1]).toContain('badly')
    expect(kept.join()).not.toMatch(/fine|well/)
  })

  it('goes to the customer’s own endpoint whole, whatever may leave', async () => {
    const own = await manager()
    const here = await site(null, {
      policy: 'off',
      env: { LANDFALL_AGENT_OTLP_FORWARD: own.url, LANDFALL_AGENT_OTLP_FORWARD_HEADERS: 'x-key=a%20b' },
    })
    await all(here)
    await until(() => own.got.length === 4)
    expect(own.got.map((got) => got.path)).toEqual(['/v1/logs', '/v1/logs', '/v1/traces', '/v1/metrics'])
    expect(here.spool.stats().items).toBe(0)
  })

  it('is obeyed for what was gathered before, also while nothing can be sent', async () => {
    const here = await site(null)
    await all(here)
    here.say('errors-only')
    await here.telemetry.settle()
    const kept = held(here.spool)
    expect(kept.length).toBe(2)
    expect(kept.join()).toMatch(/broken/)
    expect(kept.join()).not.toMatch(/fine|well/)
    here.say('off')
    await here.telemetry.settle()
    expect(here.spool.stats().items).toBe(0)
  })

  it('is obeyed at the next start when it changed as the agent was stopped', async () => {
    const directory = files.path()
    const before = await site(null, { directory })
    await all(before)
    await before.stop()
    const there = await manager()
    const after = await site(there.uplink, { directory, policy: 'off' })
    await after.send('logs', logs(['x']))
    await sleep(100)
    expect(there.got).toEqual([])
    expect(after.spool.stats().items).toBe(0)
  })
})

describe('the way to the manager', () => {
  it('brings everything in the end, in the bytes that were kept, through failures and a manager that is away', async () => {
    const seen = new Map<string, number>()
    const there = await manager(({ body }, count) => {
      seen.set(body, (seen.get(body) ?? 0) + 1)
      if (count <= 6) return { status: [503, 429, 502, 401, 404, 500][count - 1] ?? 200, own: true, after: 1 }
      return count === 9 ? 'hang-up' : { status: 200 }
    })
    const here = await site(there.uplink)
    for (let i = 0; i < 40; i++) await here.send('logs', logs([`line ${i} ${'x'.repeat(2_000)}`]))
    await until(() => here.spool.stats().items === 0)
    expect(seen.size).toBe(40)
    expect(here.spool.stats().drops).toEqual([])
    expect(here.telemetry.stats()).toMatchObject({ sent: 40, refused: 0 })
  })

  it('is not blocked by what the manager refuses; that is dropped and counted', async () => {
    const there = await manager(({ body }) => {
      if (body.includes('poison')) return { status: 400, own: true }
      if (body.includes('large')) return { status: 413 }
      if (body.includes('breaks it')) return { status: 500, own: true }
      return { status: 200 }
    })
    const here = await site(there.uplink)
    for (const text of ['poison', 'large', 'breaks it', 'sound']) await here.send('logs', logs([text]))
    await until(() => here.spool.stats().items === 0)
    expect(there.got.filter((got) => got.body.includes('poison')).length).toBe(1)
    expect(there.got.filter((got) => got.body.includes('breaks it')).length).toBe(8)
    expect(here.spool.stats().drops).toMatchObject([{ reason: 'refused', signal: 'logs', items: 3 }])
    expect(here.telemetry.stats()).toMatchObject({ sent: 1, refused: 3 })
  })

  it('keeps everything when something on the way refuses in the manager’s place', async () => {
    const there = await manager(() => ({ status: 400 }))
    const here = await site(there.uplink)
    await here.send('logs', logs(['kept']))
    await until(() => there.got.length > 3)
    expect(here.spool.stats()).toMatchObject({ items: 1, drops: [] })
    there.state.answering = () => ({ status: 200 })
    await until(() => here.spool.stats().items === 0)
  })

  it('stays closed for what was taken up before a no', async () => {
    const there = await manager(() => ({ status: 503 }))
    const here = await site(there.uplink)
    for (let i = 0; i < 10; i++) await here.send('logs', logs([`line ${i}`]))
    await until(() => there.got.length > 3)
    here.say('off')
    // Requests that had begun already arrive; none is begun after.
    await until(() => here.spool.stats().items === 0)
    const count = there.got.length
    there.state.answering = () => ({ status: 200 })
    await sleep(150)
    expect(there.got.length).toBe(count)
  })

  it('is not cut off by a clock that is off by a day, either way, or set right in between', async () => {
    const there = await manager(() => ({ status: 503 }))
    const day = 86_400_000
    for (const [before, after] of [
      [day, 0],
      [-day, 0],
      [0, day],
      [0, -day],
    ] as const) {
      let offset: number = before
      there.state.answering = () => ({ status: 503 })
      const here = await site(there.uplink, { offset: () => offset })
      await here.send('logs', logs([`from ${before} to ${after}.`]))
      offset = after
      await here.send('logs', logs([`then ${before} to ${after}.`]))
      there.state.answering = () => ({ status: 200 })
      await until(() => here.spool.stats().items === 0)
      expect(here.spool.stats().drops).toEqual([])
      expect(there.got.filter((got) => got.body.includes(` ${before} to ${after}.`)).length).toBeGreaterThan(1)
      await here.stop()
    }
  })

  it('drops the oldest where the spool is full, and says how much', async () => {
    const there = await manager(() => ({ status: 503 }))
    const here = await site(there.uplink, { limits: { maxBytes: 3_000, maxAgeMs: 60_000 } })
    for (let i = 0; i < 20; i++) await here.send('logs', logs([`line ${i} ${'x'.repeat(500)}`]))
    const { items, bytes, drops } = here.spool.stats()
    expect(bytes).toBeLessThanOrEqual(3_000)
    expect(drops).toMatchObject([{ reason: 'size', signal: 'logs', items: 20 - items }])
    there.state.answering = () => ({ status: 200 })
    await until(() => here.spool.stats().items === 0)
    expect(there.got.at(-1)?.body).toContain('line 19')
  })
})

const canMount = process.getuid?.() === 0 && process.platform === 'linux'
if (!canMount) console.warn('not root: telemetry on a full disk is not checked here')
describe.skipIf(!canMount)('a full disk', () => {
  it('costs what can not be kept, says so to the exporter, and passes', async () => {
    const mount = files.path()
    mkdirSync(mount)
    const run = promisify(execFile)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount])
    try {
      const there = await manager(() => ({ status: 503 }))
      const here = await site(there.uplink, { directory: mount })
      const answers = []
      for (let i = 0; i < 80; i++) {
        const answer = await here.send('logs', logs([`line ${i} ${'x'.repeat(60_000)}`]))
        answers.push([answer.status, await answer.json()] as const)
      }
      const rejected = answers.filter(
        ([status, body]) => status === 200 && JSON.stringify(body).includes('"rejectedLogRecords":"1"'),
      )
      const { items, drops } = here.spool.stats()
      expect(rejected.length).toBeGreaterThan(10)
      expect(items + rejected.length).toBe(80)
      expect(drops).toMatchObject([{ reason: 'disk-full', items: rejected.length }])
      there.state.answering = () => ({ status: 200 })
      await until(() => here.spool.stats().items === 0)
      expect((await (await here.send('logs', logs(['room again']))).json()) as object).toEqual({})
      await until(() => there.got.some((got) => got.body.includes('room again')))
      await here.stop()
    } finally {
      await run('umount', ['-l', mount])
    }
  })
})
