import { afterEach, describe, expect, it } from 'vitest'
import { startReceiver } from '../testing/otlp-receiver.ts'
import { Exporter } from './exporter.ts'
import { TelemetryMeterProvider } from './meter.ts'
import { anyValue } from './otlp.ts'
import { formatTraceparent, parseTraceparent } from './propagation.ts'
import { routeOf } from './route.ts'
import { pairsOf } from './telemetry.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})
const receiver = async (status?: () => number) => {
  const one = await startReceiver(status)
  closers.push(one.close)
  return one
}
// Nothing is sent by itself within the test: `flush` is what sends.
const idle = {
  headers: {},
  encode: (records: readonly unknown[]) => ({ records }),
  intervalMs: 600_000,
  random: () => 0,
}

describe('the exporter', () => {
  it('sends in batches, and drops and counts what has no room', async () => {
    const { url, received } = await receiver()
    const exporter = new Exporter({ ...idle, url, capacity: 5, batch: 2 })
    for (let i = 0; i < 8; i++) exporter.add(i)
    await exporter.flush(10_000)
    expect(received.map((one) => one.body)).toEqual([{ records: [0, 1] }, { records: [2, 3] }, { records: [4] }])
    expect(exporter.dropped).toBe(3)
  })

  it('sends a batch again as it was, in order, until it is accepted', async () => {
    let failures = 2
    const { url, received } = await receiver(() => (failures-- > 0 ? 503 : 200))
    const exporter = new Exporter({ ...idle, url, batch: 2 })
    for (let i = 0; i < 3; i++) exporter.add(i)
    for (let i = 0; i < 3; i++) await exporter.flush(10_000)
    expect(received.map((one) => one.body)).toEqual([
      { records: [0, 1] },
      { records: [0, 1] },
      { records: [0, 1] },
      { records: [2] },
    ])
    expect(exporter.dropped).toBe(0)
  })

  it('gives up on what is refused, and on what fails five times', async () => {
    const refusing = await receiver(() => 400)
    const refused = new Exporter({ ...idle, url: refusing.url })
    refused.add(1)
    await refused.flush(10_000)
    expect([refusing.received.length, refused.dropped]).toEqual([1, 1])

    const failing = await receiver(() => 503)
    const failed = new Exporter({ ...idle, url: failing.url })
    failed.add(1)
    for (let i = 0; i < 8; i++) await failed.flush(10_000)
    expect([failing.received.length, failed.dropped]).toEqual([5, 1])
  })
})

describe('the meter', () => {
  it('gives what happened since the last collection, and totals of what is observed', async () => {
    const provider = new TelemetryMeterProvider()
    const meter = provider.getMeter('test')
    const counter = meter.createCounter('c')
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1, 2] } })
    let total = 0
    meter.createObservableCounter('o').addCallback((result) => result.observe(++total, { k: 'v' }))
    counter.add(2, { a: 'x' })
    counter.add(3, { a: 'x' })
    counter.add(-1, { a: 'x' })
    for (const value of [0.5, 1, 1.5, 5]) histogram.record(value)
    const metrics = async () => (await provider.collect()).map((one) => one.metric)
    expect(await metrics()).toMatchObject([
      { name: 'c', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ asDouble: 5 }] } },
      {
        name: 'h',
        histogram: { dataPoints: [{ count: '4', sum: 8, min: 0.5, max: 5, bucketCounts: ['2', '1', '1'] }] },
      },
      { name: 'o', sum: { aggregationTemporality: 2, dataPoints: [{ asDouble: 1 }] } },
    ])
    counter.add(1, { a: 'x' })
    expect(await metrics()).toMatchObject([
      { name: 'c', sum: { dataPoints: [{ asDouble: 1 }] } },
      { name: 'o', sum: { dataPoints: [{ asDouble: 2 }] } },
    ])
  })

  it('bounds the series of an instrument', async () => {
    const provider = new TelemetryMeterProvider()
    const counter = provider.getMeter('test').createCounter('c')
    for (let i = 0; i < 3000; i++) counter.add(1, { id: i })
    const [record] = await provider.collect()
    const sum: unknown = record?.metric.sum
    const points = Reflect.get(Object(sum), 'dataPoints')
    expect(points).toHaveLength(1001)
    expect(points.at(-1)).toMatchObject({ asDouble: 2000, attributes: [{ key: 'otel.metric.overflow' }] })
  })
})

describe('traceparent', () => {
  const valid = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  it('is read and written as W3C says', () => {
    const span = parseTraceparent(valid)
    expect(span && formatTraceparent(span)).toBe(valid)
    expect(parseTraceparent('cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-future')).toBeDefined()
  })
  it.each([
    '',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
    `${valid}-more`,
  ])('is ignored when it is not valid: %s', (header) => {
    expect(parseTraceparent(header)).toBeUndefined()
  })
})

describe('routes', () => {
  it.each([
    ['/', '/'],
    ['/invoices', '/invoices'],
    ['/invoices/42/file', '/invoices/{id}/file'],
    ['/u/0b3e1a52-7a0e-4a8f-9a52-2f1d7c1b9e11', '/u/{id}'],
    ['/v1/k%20x', '/v1/{id}'],
  ])('%s is counted as %s', (path, route) => {
    expect(routeOf(path)).toBe(route)
  })
  it('are bounded', () => {
    const routes = new Set<string>()
    const word = (i: number) => [...String(i)].map((digit) => 'qwrtypsdfg'[Number(digit)]).join('')
    for (let i = 0; i < 1000; i++) routes.add(routeOf(`/${word(i)}`))
    expect(routes.size).toBeLessThanOrEqual(201)
    expect(routes).toContain('{other}')
  })
})

describe('values', () => {
  it('are written as OTLP wants them, whatever they are', () => {
    expect(anyValue(2 ** 53)).toEqual({ doubleValue: 2 ** 53 })
    expect(anyValue(7)).toEqual({ intValue: '7' })
    expect(anyValue(Number.NaN)).toEqual({ doubleValue: 'NaN' })
    expect(anyValue([true, 'x'])).toEqual({ arrayValue: { values: [{ boolValue: true }, { stringValue: 'x' }] } })
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(JSON.stringify(anyValue(cycle)).length).toBeLessThan(1000)
  })
  it('of headers and resources are read as OpenTelemetry says', () => {
    expect(pairsOf('a=1, b = x%20y,broken,=no,c=%zz,d=e=f')).toEqual({ a: '1', b: 'x y', d: 'e=f' })
  })
})
