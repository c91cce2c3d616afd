import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { latencyBoundsMs } from '@landfall/rollout'
import { Endpoint, type Signal } from '@landfall/telemetry'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { realClock } from '../control/testing/fleet.ts'
import { idleControl } from '../control/testing/idle-control.ts'
import { seedDeployment, seedProject } from '../control/testing/seed.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { OpenDatabase } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { BatchQueue } from './batch-queue.ts'
import { Days } from './days.ts'
import { createMetricSource } from './metric-source.ts'
import { queryLogs } from './query-logs.ts'
import { queryMetrics } from './query-metrics.ts'
import { readSettings, writeSettings } from './settings.ts'

const dayMs = 86_400_000
const noon = Date.UTC(2026, 10, 21, 12)
let now = noon
const clock = { now: () => now, sleep: realClock.sleep }
const log = { info: () => {}, warn: () => {} }
const random = { next: () => 0.5 }

let server: TestServer
let database: OpenDatabase
let keyring: Keyring
let control: ReturnType<typeof idleControl>

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  now = noon
  database = await server.database()
  keyring = await openKeyring(database.db, localMasterKey(Buffer.alloc(32, 3)), now)
  control = idleControl({ db: database.db, keyring, clock, random, log })
  await seedProject(database.db, 'acme')
  await seedDeployment(database.db, { id: 'dep_1', project: 'acme' })
})
afterEach(async () => {
  await control.telemetry.close()
  await control.forwarding.close()
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()))
})

const nanos = (ms: number) => `${ms}000000`
const attribute = (key: string, value: string | number) => ({
  key,
  value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
})
const resourceOf = (version: string, more: [string, string][] = []) => ({
  attributes: [
    attribute('service.name', 'api'),
    attribute('service.version', version),
    attribute('landfall.version.id', `sha256:${version}`),
    ...more.map(([key, value]) => attribute(key, value)),
  ],
})
const logsOf = (lines: [at: number, body: string, severity?: number][], version = '1.0.0') => ({
  resourceLogs: [
    {
      resource: resourceOf(version),
      scopeLogs: [
        {
          logRecords: lines.map(([at, body, severity]) => ({
            timeUnixNano: nanos(at),
            severityNumber: severity ?? 9,
            body: { stringValue: body },
          })),
        },
      ],
    },
  ],
})
interface PointOf {
  at: number
  count: number
  startAt?: number
  status?: number
  version?: string
  router?: boolean
  /** Which of the buckets ≤10 ms, ≤100 ms, above all observations lie in. */
  bucket?: number
}
const metricsOf = (points: PointOf[]) => ({
  resourceMetrics: points.map((point) => ({
    resource: resourceOf(point.version ?? '1.0.0', point.router ? [['landfall.source', 'router']] : []),
    scopeMetrics: [
      {
        metrics: [
          {
            name: 'http.server.request.duration',
            unit: 's',
            histogram: {
              aggregationTemporality: 2,
              dataPoints: [
                {
                  startTimeUnixNano: nanos(point.startAt ?? noon - 1_000),
                  timeUnixNano: nanos(point.at),
                  count: String(point.count),
                  sum: point.count / 10,
                  explicitBounds: [0.01, 0.1],
                  bucketCounts: [0, 1, 2].map((index) => (index === (point.bucket ?? 0) ? String(point.count) : '0')),
                  attributes: [attribute('http.response.status_code', point.status ?? 200)],
                },
              ],
            },
          },
        ],
      },
    ],
  })),
})

const send = (signal: Signal, request: unknown, packing?: 'gzip') =>
  control.telemetry.take({
    signal,
    body: packing ? gzipSync(JSON.stringify(request)) : Buffer.from(JSON.stringify(request)),
    contentType: 'application/json',
    contentEncoding: packing,
    project: 'acme',
    deployment: 'dep_1',
  })

describe('logs', () => {
  it('are read newest first page, then followed, in order, without a line twice', async () => {
    await send('logs', logsOf(Array.from({ length: 30 }, (_, i) => [noon - 30_000 + i * 1_000, `line ${i}`])))
    const first = await queryLogs(database.db, { deployment: 'dep_1', limit: 10 })
    expect(first.items.map((line) => line.body)).toEqual(Array.from({ length: 10 }, (_, i) => `line ${20 + i}`))
    const nothing = await queryLogs(database.db, { deployment: 'dep_1', limit: 10, after: first.next ?? '' })
    expect(nothing.items).toEqual([])
    // Three lines of one instant keep the order they were sent in.
    await send(
      'logs',
      logsOf([
        [noon, 'a'],
        [noon, 'b'],
        [noon, 'a'],
      ]),
      'gzip',
    )
    const after = await queryLogs(database.db, { deployment: 'dep_1', limit: 2, after: nothing.next ?? '' })
    const rest = await queryLogs(database.db, { deployment: 'dep_1', limit: 2, after: after.next ?? '' })
    expect([...after.items, ...rest.items].map((line) => line.body)).toEqual(['a', 'b', 'a'])
    const back = await queryLogs(database.db, {
      deployment: 'dep_1',
      limit: 5,
      until: new Date(noon - 21_000).toISOString(),
    })
    expect(back.items.map((line) => line.body)).toEqual(['line 5', 'line 6', 'line 7', 'line 8', 'line 9'])
    expect((await queryLogs(database.db, { deployment: 'dep_2', limit: 5 })).items).toEqual([])
  })

  it('are filtered by severity, text, worker and version; text is text and no pattern', async () => {
    await send(
      'logs',
      logsOf([
        [noon, '100% done'],
        [noon, '100x done', 13],
        [noon, 'boom', 17],
      ]),
    )
    await send('logs', logsOf([[noon, 'other']], '2.0.0'))
    const bodies = async (filter: object) =>
      (await queryLogs(database.db, { deployment: 'dep_1', limit: 10, ...filter })).items
        .map((line) => line.body)
        .sort()
    expect(await bodies({ severity: 'warn' })).toEqual(['100x done', 'boom'])
    expect(await bodies({ text: '0% d' })).toEqual(['100% done'])
    expect(await bodies({ version: '2.0.0' })).toEqual(['other'])
    expect(await bodies({ worker: 'nobody' })).toEqual([])
    await expect(bodies({ after: "1~x') or 1=1" })).rejects.toMatchObject({ code: 'E_INVALID_REQUEST' })
  })

  it('sent again after a lost answer are there once', async () => {
    const request = logsOf([
      [noon, 'once'],
      [noon, 'once'],
    ])
    await send('logs', request)
    await send('logs', request)
    expect((await queryLogs(database.db, { deployment: 'dep_1', limit: 10 })).items.length).toBe(2)
  })

  it('older than they are kept for are counted and refused; days are dropped by retention', async () => {
    const days = new Days(database.db)
    await send(
      'logs',
      logsOf([
        [noon - 2 * dayMs, 'old'],
        [noon, 'new'],
      ]),
    )
    expect(
      (
        await send(
          'logs',
          logsOf([
            [noon - 8 * dayMs, 'too old'],
            [noon, 'x'],
          ]),
        )
      ).rejected,
    ).toBe(1)
    await days.maintain(now)
    expect((await queryLogs(database.db, { deployment: 'dep_1', limit: 10 })).items.length).toBe(3)
    now = noon + 6 * dayMs
    expect(await days.maintain(now)).toBe(3)
    expect((await queryLogs(database.db, { deployment: 'dep_1', limit: 10 })).items.map((line) => line.body)).toEqual([
      'new',
      'x',
    ])
    // Another project keeps them longer: then they are taken from this one row by row.
    await seedProject(database.db, 'long')
    await database.db
      .transaction()
      .execute((trx) => writeSettings(trx, keyring, 'long', { forward: [], retentionDays: 30 }))
    now = noon + 9 * dayMs
    expect(await days.maintain(now)).toBe(0)
    expect((await queryLogs(database.db, { deployment: 'dep_1', limit: 10 })).items).toEqual([])
  })
})

describe('metrics', () => {
  it('become rates and quantiles per version, over restarts and repeats', async () => {
    const at = (seconds: number) => noon + seconds * 1_000
    now = at(60)
    await send(
      'metrics',
      metricsOf([
        { at: at(10), count: 100 },
        { at: at(20), count: 150 },
      ]),
    )
    await send('metrics', metricsOf([{ at: at(20), count: 150 }]))
    // The process began again, and counts from zero.
    await send('metrics', metricsOf([{ at: at(30), count: 30, startAt: at(25) }]))
    await send('metrics', metricsOf([{ at: at(30), count: 10, status: 500, bucket: 2 }]))
    const found = await queryMetrics(database.db, { deployment: 'dep_1', since: noon - 60_000, until: now })
    const total = (metric: string) =>
      (found.series.find((series) => series.metric === metric)?.points ?? []).reduce(
        (sum, [, value]) => sum + (value ?? 0),
        0,
      )
    expect(total('requests') * 10).toBeCloseTo(100 + 50 + 30 + 10)
    expect(total('errors') * 10).toBeCloseTo(10)
    const p50 = found.series.find((series) => series.metric === 'latency-p50')?.points.at(-1)?.[1]
    expect(p50).toBeGreaterThan(5)
    expect(p50).toBeLessThan(10)
    expect(found.series.find((series) => series.metric === 'latency-p99')?.points.at(-1)?.[1]).toBe(100)
    expect(found.through).toBe(at(30))
  })

  it('are evidence only where a router measured them, from the instant that counts', async () => {
    const source = createMetricSource({ db: database.db, clock })
    const query = { deployment: 'dep_1', worker: 'api', version: 'sha256:1.0.0', since: noon + 5_000 }
    now = noon + 60_000
    await send('metrics', metricsOf([{ at: noon + 10_000, count: 100 }]))
    expect(await source.read(query)).toBeNull()
    const router = { router: true }
    await send(
      'metrics',
      metricsOf([
        { ...router, at: noon + 1_000, count: 1_000 },
        { ...router, at: noon + 10_000, count: 1_040 },
      ]),
    )
    await send(
      'metrics',
      metricsOf([{ ...router, at: noon + 12_000, count: 5, status: 502, bucket: 1, startAt: noon + 6_000 }]),
    )
    await send('metrics', metricsOf([{ ...router, at: noon + 12_000, count: 7, version: '2.0.0' }]))
    const counters = await source.read(query)
    expect(counters).toMatchObject({ requests: 45, errors: 5, through: noon + 12_000 })
    expect(counters?.latency[latencyBoundsMs.indexOf(10)]).toBe(40)
    expect(counters?.latency[latencyBoundsMs.indexOf(100)]).toBe(5)
  })
})

describe('the queue before the database', () => {
  it('is bounded, tells the sender to come again, and answers only for what is stored', async () => {
    const written: number[] = []
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const queue = new BatchQueue<number>(
      async (items) => {
        await gate
        if (items.includes(13)) throw new Error('the database refused')
        written.push(...items)
      },
      { maxItems: 10, maxBatch: 4 },
    )
    const accepted = [queue.add([1, 2, 3]), queue.add([4]), queue.add([13]), queue.add([5, 6, 7, 8])]
    await expect(queue.add([9, 10])).rejects.toMatchObject({ code: 'E_TELEMETRY_BUSY', retryable: true })
    open()
    const outcomes = await Promise.allSettled(accepted)
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(written).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(queue.held).toBe(0)
    await queue.close()
    await expect(queue.add([1])).rejects.toMatchObject({ code: 'E_TELEMETRY_BUSY' })
  })
})

interface Receiver {
  url: string
  got: { path: string; headers: IncomingMessage['headers']; body: string }[]
  close(): Promise<void>
}
const receivers: Receiver[] = []

/** A real OTLP endpoint that answers as it is told. */
async function receive(status: (count: number) => number, retryAfter?: string): Promise<Receiver> {
  const got: Receiver['got'] = []
  const http: Server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      got.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString() })
      response.writeHead(status(got.length), retryAfter ? { 'retry-after': retryAfter } : {}).end()
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const receiver = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    got,
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
  receivers.push(receiver)
  return receiver
}

describe('sending on', () => {
  const forwardTo = async (url: string, headers: Record<string, string> = {}) => {
    const settings = { forward: [{ url, headers }], retentionDays: 7 }
    await database.db.transaction().execute((trx) => writeSettings(trx, keyring, 'acme', settings))
    await control.forwarding.refresh()
  }
  const settled = async (done: () => boolean) => {
    for (let tries = 0; tries < 400 && !done(); tries++) await realClock.sleep(10)
    expect(done()).toBe(true)
  }
  const parcel = { signal: 'logs', encoding: 'json', bytes: Buffer.from('{}') } as const
  const endpointOf = (url: string, more: object = {}) =>
    new Endpoint({ url, headers: {}, clock: realClock, random, baseMs: 5, ...more })

  it('carries identity and headers, which are shown masked and kept when they come back so', async () => {
    const receiver = await receive(() => 200)
    await forwardTo(receiver.url, { authorization: 'Bearer hunter2' })
    await send('logs', logsOf([[noon, 'hello']]))
    await send('traces', { resourceSpans: [{ resource: { attributes: [] } }] })
    await settled(() => receiver.got.length === 2)
    expect(receiver.got.map((each) => each.path)).toEqual(['/v1/logs', '/v1/traces'])
    for (const each of receiver.got) {
      expect(each.headers.authorization).toBe('Bearer hunter2')
      expect(each.body).toContain('{"key":"landfall.deployment.id","value":{"stringValue":"dep_1"}}')
    }
    const shown = await readSettings(database.db, keyring, 'acme')
    expect(shown.forward).toEqual([{ url: receiver.url, headers: { authorization: '***' } }])
    await database.db
      .transaction()
      .execute((trx) => writeSettings(trx, keyring, 'acme', { ...shown, retentionDays: 9 }))
    await control.forwarding.refresh()
    await send('logs', logsOf([[noon, 'again']]))
    await settled(() => receiver.got.length === 3)
    expect(receiver.got[2]?.headers.authorization).toBe('Bearer hunter2')
    const stored = JSON.stringify(await database.db.selectFrom('telemetry_settings').selectAll().execute())
    expect(stored).not.toContain(Buffer.from('hunter2').toString('hex'))
    expect(control.forwarding.counters()).toMatchObject({ sent: 3, held: 0 })
  })

  it('tries again what may pass, in order, and gives up what is refused', async () => {
    const receiver = await receive((count) => (count <= 3 ? 503 : count === 5 ? 400 : 200))
    const endpoint = endpointOf(receiver.url)
    for (let i = 0; i < 3; i++) endpoint.send({ ...parcel, bytes: Buffer.from(`{"n":${i}}`) })
    await endpoint.idle()
    expect(receiver.got.map((each) => each.body)).toEqual([0, 0, 0, 0, 1, 2].map((n) => `{"n":${n}}`))
    expect(endpoint.counters).toMatchObject({ sent: 2, retried: 3, dropped: { refused: 1 } })
    await endpoint.close()
  })

  it('drops what its budget did not suffice for, and what nobody listens to', async () => {
    const receiver = await receive(() => 503)
    const endpoint = endpointOf(receiver.url, { budgetMs: 200 })
    endpoint.send(parcel)
    await endpoint.idle()
    expect(endpoint.counters.dropped.budget).toBe(1)
    expect(receiver.got.length).toBeGreaterThan(2)
    const patient = await receive(() => 429, '3600')
    const waiting = endpointOf(patient.url, { budgetMs: 60_000 })
    waiting.send(parcel)
    await waiting.idle()
    expect([patient.got.length, waiting.counters.dropped.budget]).toEqual([1, 1])
    await patient.close()
    const gone = endpointOf(patient.url, { budgetMs: 100 })
    gone.send(parcel)
    await gone.idle()
    expect(gone.counters.dropped.budget).toBe(1)
  })

  it('holds a bounded number of bytes, keeps the newest, and ends at once', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const seen: string[] = []
    const fetch = (async (_: unknown, init: { body: Uint8Array; signal: AbortSignal }) => {
      seen.push(Buffer.from(init.body).toString())
      await held
      return new Response(null, { status: 200 })
    }) as unknown as typeof globalThis.fetch
    const endpoint = endpointOf('http://127.0.0.1:1', { maxBytes: 25, fetch })
    for (let i = 0; i < 6; i++) endpoint.send({ ...parcel, bytes: Buffer.from(`parcel-${i}.`) })
    expect(endpoint.held).toBe(2)
    release()
    await endpoint.idle()
    expect(seen).toEqual(['parcel-0.', 'parcel-5.'])
    expect(endpoint.counters.dropped.full).toBe(4)
    const slow = await receive(() => 503)
    const closing = endpointOf(slow.url, { baseMs: 60_000, budgetMs: 600_000 })
    closing.send(parcel)
    await settled(() => slow.got.length === 1)
    await closing.close()
    expect(closing.counters.dropped.closed).toBe(1)
  })
})
