import type { Signal } from '@landfall/telemetry'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { realClock } from '../control/testing/fleet.ts'
import { idleControl } from '../control/testing/idle-control.ts'
import { seedDeployment, seedProject } from '../control/testing/seed.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { OpenDatabase } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { Days } from './days.ts'
import { readDrops } from './drops.ts'
import { maxNames, maxSeries } from './meter-bounds.ts'
import { queryLogs } from './query-logs.ts'
import { listMeters, queryMeter } from './query-meter.ts'
import { queryTraces } from './query-traces.ts'
import { readTrace } from './read-trace.ts'
import { maxSpansPerMinute } from './span-budget.ts'

const dayMs = 86_400_000
const noon = Date.UTC(2026, 10, 21, 12)
let now = noon
const clock = { now: () => now, sleep: realClock.sleep }
let server: TestServer
let database: OpenDatabase
let control: ReturnType<typeof idleControl>

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  now = noon
  database = await server.database()
  const { db } = database
  const keyring = await openKeyring(db, localMasterKey(Buffer.alloc(32, 3)), now)
  const log = { info: () => {}, warn: () => {} }
  control = idleControl({ db, keyring, clock, random: { next: () => 0.5 }, log })
  await seedProject(db, 'acme')
  await seedDeployment(db, { id: 'dep_1', project: 'acme' })
})
afterEach(async () => {
  await control.telemetry.close()
  await control.forwarding.close()
})

const send = (signal: Signal, request: unknown) =>
  control.telemetry.take({
    signal,
    body: Buffer.from(JSON.stringify(request)),
    contentType: 'application/json',
    contentEncoding: undefined,
    project: 'acme',
    deployment: 'dep_1',
  })
const nanos = (ms: number) => `${ms}000000`
const text = (key: string, value: string) => ({ key, value: { stringValue: value } })
const resource = (worker = 'api', version = '1.0.0', instance = 'i1') => ({
  attributes: [text('service.name', worker), text('service.version', version), text('service.instance.id', instance)],
})

interface SpanOf {
  trace: number
  span: number
  parent?: number
  at: number
  ms?: number
  name?: string
  failed?: boolean
  worker?: string
  version?: string
}
const hex = (value: number, length: number) => value.toString(16).padStart(length, '0')
const traceId = (trace: number) => hex(trace, 32)
const spansOf = (spans: readonly SpanOf[]) => ({
  resourceSpans: spans.map(({ trace, span, parent, at, ms = 1, name, failed, worker, version }) => ({
    resource: resource(worker, version),
    scopeSpans: [
      {
        spans: [
          {
            traceId: traceId(trace),
            spanId: hex(span, 16),
            ...(parent === undefined ? {} : { parentSpanId: hex(parent, 16) }),
            name: name ?? `span ${span}`,
            kind: 2,
            startTimeUnixNano: nanos(at),
            endTimeUnixNano: nanos(at + ms),
            ...(failed ? { status: { code: 2, message: 'over' } } : {}),
          },
        ],
      },
    ],
  })),
})
const traces = (more: object = {}) =>
  queryTraces(database.db, { deployment: 'dep_1', since: noon - 3_600_000, until: now, limit: 50, ...more })

describe('traces', () => {
  it('are listed newest first by worker, version, duration and errors, and read as a tree with their log lines', async () => {
    const first = [
      { trace: 1, span: 1, at: noon - 5_000, ms: 300, name: 'GET /invoices' },
      { trace: 1, span: 3, parent: 1, at: noon - 4_800, ms: 50, worker: 'mail', failed: true },
      { trace: 1, span: 2, parent: 1, at: noon - 4_900, ms: 20 },
      { trace: 1, span: 4, parent: 2, at: noon - 4_890, ms: 5 },
    ]
    await send('traces', spansOf(first))
    await send('traces', spansOf([{ trace: 2, span: 5, at: noon - 1_000, ms: 10, version: '2.0.0' }]))
    // Sent again after a lost answer: there once.
    await send('traces', spansOf(first))
    await send('logs', {
      resourceLogs: [
        {
          resource: resource(),
          scopeLogs: [
            {
              logRecords: [
                { timeUnixNano: nanos(noon - 4_850), body: { stringValue: 'in it' }, traceId: traceId(1) },
                { timeUnixNano: nanos(noon - 4_850), body: { stringValue: 'beside it' } },
              ],
            },
          ],
        },
      ],
    })
    const ids = async (filter: object) => (await traces(filter)).map((each) => Number.parseInt(each.trace, 16))
    expect(await traces()).toMatchObject([
      { trace: traceId(2), spans: 1, errors: 0, versions: ['2.0.0'] },
      { name: 'GET /invoices', spans: 4, errors: 1, durationMs: 300, workers: ['api', 'mail'], versions: ['1.0.0'] },
    ])
    expect(await ids({ worker: 'mail' })).toEqual([1])
    expect(await ids({ version: '2.0.0' })).toEqual([2])
    expect(await ids({ minDurationMs: 100 })).toEqual([1])
    expect(await ids({ errors: true })).toEqual([1])
    expect(await ids({ until: noon - 2_000 })).toEqual([1])
    expect(await ids({ deployment: 'dep_2' })).toEqual([])
    const whole = await readTrace(database.db, 'dep_1', traceId(1))
    const shown = whole.items.map(({ span, depth, offsetMs }) => [Number.parseInt(span, 16), depth, offsetMs])
    expect(shown).toEqual([
      [1, 0, 0],
      [2, 1, 100],
      [4, 2, 110],
      [3, 1, 200],
    ])
    expect(whole.items.at(-1)).toMatchObject({ status: 'error', message: 'over', worker: 'mail', kind: 'server' })
    const lines = await queryLogs(database.db, { deployment: 'dep_1', limit: 9, trace: traceId(1) })
    expect(lines.items.map((line) => line.body)).toEqual(['in it'])
    await expect(readTrace(database.db, 'dep_2', traceId(1))).rejects.toMatchObject({ code: 'E_NOT_FOUND' })
  })

  it('keep the time they say, within retention; one of the future is of now', async () => {
    const old = { trace: 1, span: 1, at: noon - 6 * dayMs }
    const ahead = { trace: 2, span: 2, at: noon + 2 * dayMs, ms: 7 }
    const { rejected } = await send('traces', spansOf([old, ahead, { trace: 3, span: 3, at: noon - 8 * dayMs }]))
    expect(rejected).toBe(1)
    expect(
      (await traces({ since: noon - 9 * dayMs })).map(({ at, durationMs }) => [Date.parse(at), durationMs]),
    ).toEqual([
      [noon, 7],
      [noon - 6 * dayMs, 1],
    ])
    now = noon + 8 * dayMs
    await new Days(database.db).maintain(now)
    expect(await traces({ since: noon - 9 * dayMs })).toEqual([])
  })

  it('are bounded by the minute they are of, failed ones last; what is beyond is counted', async () => {
    const loop = (at: number, count: number, failed: boolean) =>
      send(
        'traces',
        spansOf(
          Array.from({ length: count }, (_, i) => ({ trace: 1, span: i + 1, at: at + Math.floor(i / 1_000), failed })),
        ),
      )
    const spans = async () => (await database.db.selectFrom('spans').select('span').execute()).length
    await loop(noon - 60_000, maxSpansPerMinute + 5, false)
    expect(await spans()).toBe(maxSpansPerMinute)
    await send('traces', spansOf([{ trace: 2, span: 1, at: noon - 60_000, failed: true }]))
    await send('traces', spansOf([{ trace: 2, span: 2, at: noon - 120_000 }]))
    await send('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 'nonsense', name: 'x' }] }] }] })
    expect(await spans()).toBe(maxSpansPerMinute + 2)
    await control.telemetry.flushDrops()
    expect(await readDrops(database.db, 'dep_1', 'traces')).toMatchObject([
      { reason: 'rate', records: 5 },
      { reason: 'unread', records: 1 },
    ])
  })
})

const point = (at: number, value: object, labels: [string, string][] = []) => ({
  startTimeUnixNano: nanos(noon - 60_000),
  timeUnixNano: nanos(at),
  attributes: labels.map(([key, each]) => text(key, each)),
  ...value,
})
const metricsOf = (metrics: unknown[], of = resource()) => ({
  resourceMetrics: [{ resource: of, scopeMetrics: [{ metrics }] }],
})
const meter = (metric: string, more: object = {}) =>
  queryMeter(database.db, { deployment: 'dep_1', metric, since: noon - 60_000, until: noon, ...more })
const total = (points: readonly (readonly [number, number | null])[] | undefined) =>
  (points ?? []).reduce((sum, [, value]) => sum + (value ?? 0), 0)

describe("the workers' own metrics", () => {
  it('are rates, values and quantiles by their attributes, over instances', async () => {
    const counter = (dataPoints: unknown[], aggregationTemporality = 1) => ({
      name: 'invoices.sent',
      unit: '1',
      sum: { isMonotonic: true, aggregationTemporality, dataPoints },
    })
    await send(
      'metrics',
      metricsOf([
        counter([
          point(noon - 30_000, { asInt: '40' }, [['kind', 'mail']]),
          point(noon - 20_000, { asInt: '2' }, [['kind', 'paper']]),
        ]),
        { name: 'queue.depth', unit: '', gauge: { dataPoints: [point(noon - 30_000, { asDouble: 4 })] } },
        {
          name: 'pdf.size',
          unit: 'By',
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [
              point(noon - 30_000, { count: '4', sum: 1_000, explicitBounds: [100, 500], bucketCounts: [1, 3, 0] }),
            ],
          },
        },
      ]),
    )
    const other = resource('api', '1.0.0', 'i2')
    await send('metrics', metricsOf([counter([point(noon - 30_000, { asInt: '60' }, [['kind', 'mail']])])], other))
    await send(
      'metrics',
      metricsOf(
        [{ name: 'queue.depth', unit: '', gauge: { dataPoints: [point(noon - 30_000, { asDouble: 8 })] } }],
        other,
      ),
    )
    const sent = await meter('invoices.sent')
    expect(sent.series.map(({ labels, shows, unit }) => [labels, shows, unit])).toEqual([
      [{ kind: 'mail' }, 'rate', '1/s'],
      [{ kind: 'paper' }, 'rate', '1/s'],
    ])
    expect(sent.series.map(({ points }) => Math.round(total(points) * 10))).toEqual([100, 2])
    expect((await meter('queue.depth')).series).toMatchObject([{ shows: 'value', points: [[noon - 30_000, 6]] }])
    const sizes = (await meter('pdf.size')).series
    expect(sizes.map(({ shows }) => shows)).toEqual(['rate', 'mean', 'p50', 'p90', 'p99'])
    expect(sizes.map(({ points }) => points[0]?.[1])).toEqual([
      0.4,
      250,
      expect.closeTo(233.3, 0),
      expect.closeTo(446.7, 0),
      expect.any(Number),
    ])
    expect((await meter('invoices.sent', { worker: 'nobody' })).series).toEqual([])
    expect((await listMeters(database.db, 'dep_1')).map(({ metric, kind }) => [metric, kind])).toEqual([
      ['invoices.sent', 'counter'],
      ['pdf.size', 'histogram'],
      ['queue.depth', 'gauge'],
    ])
  })

  it('that are totals count what they grew by', async () => {
    const at = (time: number, value: number, startAt = noon - 600_000) =>
      send(
        'metrics',
        metricsOf([
          {
            name: 'jobs.done',
            sum: {
              isMonotonic: true,
              aggregationTemporality: 2,
              dataPoints: [{ ...point(time, { asInt: String(value) }), startTimeUnixNano: nanos(startAt) }],
            },
          },
        ]),
      )
    await at(noon - 120_000, 1_000)
    await at(noon - 40_000, 1_030)
    await at(noon - 30_000, 5, noon - 35_000)
    expect(Math.round(total((await meter('jobs.done')).series[0]?.points) * 10)).toBe(35)
  })

  it('are bounded in names and series, over a restart; what is beyond is counted, what is known stays', async () => {
    const gauge = (name: string, labels: [string, string][] = []) => ({
      name,
      gauge: { dataPoints: [point(noon, { asInt: '1' }, labels)] },
    })
    const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => gauge(`customer.${from + i}`))
    await send('metrics', metricsOf(many(0, maxNames - 1)))
    // Another manager, which has not seen them.
    const keyring = await openKeyring(database.db, localMasterKey(Buffer.alloc(32, 3)), now)
    await control.telemetry.close()
    control = idleControl({
      db: database.db,
      keyring,
      clock,
      random: { next: () => 0.5 },
      log: { info() {}, warn() {} },
    })
    await send('metrics', metricsOf([...many(maxNames - 1, 11), gauge('customer.0', [['a', 'b']])]))
    expect((await listMeters(database.db, 'dep_1')).length).toBe(maxNames)
    expect((await meter('customer.0')).series.length).toBe(2)
    const series = Array.from({ length: maxSeries + 20 }, (_, i) => gauge('customer.1', [['id', String(i)]]))
    await send('metrics', metricsOf(series))
    await control.telemetry.flushDrops()
    expect(await readDrops(database.db, 'dep_1', 'metrics')).toMatchObject([
      { reason: 'names', records: 10 },
      // Two series came before: of the last name that found room, and of `customer.0`.
      { reason: 'series', records: 22 },
    ])
    expect((await meter('customer.1')).more).toBeGreaterThan(900)
    // Nobody reports them any more: the names make room.
    await new Days(database.db).maintain(noon + 8 * dayMs)
    expect(await listMeters(database.db, 'dep_1')).toEqual([])
  })
})

describe('following logs', () => {
  const logs = (lines: readonly [at: number, body: string][]) =>
    send('logs', {
      resourceLogs: [
        {
          resource: resource(),
          scopeLogs: [
            { logRecords: lines.map(([at, body]) => ({ timeUnixNano: nanos(at), body: { stringValue: body } })) },
          ],
        },
      ],
    })
  const read = (more: object) => queryLogs(database.db, { deployment: 'dep_1', limit: 3, ...more })

  it('gives each line once, in pages, also those that come late with an old time', async () => {
    await logs([[noon - 5_000, 'first']])
    const start = await read({})
    expect(start.items.map((line) => line.body)).toEqual(['first'])
    // An agent that had no network for hours brings what is older than what was read.
    await logs(Array.from({ length: 4 }, (_, i) => [noon - 7_200_000 + i * 1_000, `old ${i}`]))
    await logs([[noon - 1_000, 'new']])
    const page = await read({ after: start.next ?? '' })
    expect(page.items.map((line) => line.body)).toEqual(['old 0', 'old 1', 'old 2'])
    // What comes between two pages is not lost, and not put before its turn.
    await logs([[noon - 9_000_000, 'older still']])
    const rest = await read({ after: page.next ?? '' })
    expect(rest.items.map((line) => line.body)).toEqual(['old 3', 'new'])
    const last = await read({ after: rest.next ?? '' })
    expect(last.items.map((line) => line.body)).toEqual(['older still'])
    const nothing = await read({ after: last.next ?? '' })
    expect(nothing.items).toEqual([])
    expect((await read({ after: nothing.next ?? '', severity: 'error' })).items).toEqual([])
  })

  it('misses none of a transaction that commits late', async () => {
    await logs([[noon - 5_000, 'first']])
    const insert = `insert into logs (deployment, at, id, severity, body) values ('dep_1', to_timestamp(${noon / 1_000}), 'late', 9, 'late')`
    const slow = await database.pool.connect()
    await slow.query('begin')
    await slow.query(insert)
    await logs([[noon, 'quick']])
    const start = await read({})
    expect(start.items.map((line) => line.body)).toEqual(['first', 'quick'])
    await slow.query('commit')
    slow.release()
    const page = await read({ after: start.next ?? '' })
    expect(page.items.map((line) => line.body)).toEqual(['late'])
  })

  it('refuses what is no cursor', async () => {
    for (const after of [
      'v~',
      'v~5:3:',
      'v~0:1:',
      'v~3:9:4,4',
      'v~3:9:~3:9:~1~2',
      "v~3:9:'",
      'x~1',
      'v~3:9:5~4:9:~8~1~a~b',
    ]) {
      await expect(read({ after })).rejects.toMatchObject({ code: 'E_INVALID_REQUEST' })
    }
  })
})
