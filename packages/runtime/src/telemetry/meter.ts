import type {
  Attributes,
  BatchObservableCallback,
  Counter,
  Gauge,
  Histogram,
  Meter,
  MeterProvider,
  MetricOptions,
  Observable,
  ObservableCallback,
  UpDownCounter,
} from '@opentelemetry/api'
import { attributes, type KeyValue } from './otlp.ts'
import { nowNano } from './time.ts'

/** OpenTelemetry's default boundaries; for durations in seconds an instrument's advice gives finer ones. */
const standardBounds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]
/** Series of one instrument; what comes above is counted in one series, as OpenTelemetry's specification says. */
const maxSeries = 1000
/** AggregationTemporality of OTLP: a point holds what happened since the point before. */
const delta = 1
const cumulative = 2

type Kind = 'counter' | 'upDownCounter' | 'gauge' | 'histogram'

interface Series {
  attributes: KeyValue[]
  value: number
  /** Of a histogram. */
  count: number
  min: number
  max: number
  buckets: number[]
}

interface Instrument {
  scope: string
  name: string
  kind: Kind
  options: MetricOptions
  bounds: readonly number[]
  series: Map<string, Series>
  /** Counters that are observed give totals, so they are cumulative. */
  observed: boolean
  since: string
}

/** One metric with its points, as OTLP writes it. */
export interface MetricRecord {
  scope: string
  metric: Record<string, unknown>
}

/** Instruments and what they have counted since the last `collect`. */
export class TelemetryMeterProvider implements MeterProvider {
  readonly #instruments = new Map<string, Instrument>()
  readonly #callbacks = new Set<() => void | Promise<void>>()
  readonly #batches = new Map<BatchObservableCallback, () => void | Promise<void>>()

  getMeter(scope: string): Meter {
    const synchronous = (name: string, kind: Kind, options: MetricOptions = {}) => {
      const instrument = this.#instrument(scope, name, kind, options, false)
      return (value: number, labels?: Attributes) => record(instrument, value, labels)
    }
    const observable = (name: string, kind: Kind, options: MetricOptions = {}): ObservableInstrument => {
      const instrument = this.#instrument(scope, name, kind, options, true)
      return new ObservableInstrument(instrument, this.#callbacks)
    }
    return {
      createCounter: (name, options): Counter => {
        const add = synchronous(name, 'counter', options)
        // A counter never goes down: a negative value is a mistake of the caller, and is left out.
        return { add: (value, labels) => (value >= 0 ? add(value, labels) : undefined) }
      },
      createUpDownCounter: (name, options): UpDownCounter => ({ add: synchronous(name, 'upDownCounter', options) }),
      createGauge: (name, options): Gauge => ({ record: synchronous(name, 'gauge', options) }),
      createHistogram: (name, options): Histogram => ({ record: synchronous(name, 'histogram', options) }),
      createObservableCounter: (name, options) => observable(name, 'counter', options),
      createObservableUpDownCounter: (name, options) => observable(name, 'upDownCounter', options),
      createObservableGauge: (name, options) => observable(name, 'gauge', options),
      addBatchObservableCallback: (callback) => {
        const observer = {
          observe: (metric: Observable, value: number, labels?: Attributes) => {
            if (metric instanceof ObservableInstrument) observe(metric.instrument, value, labels)
          },
        }
        const run = () => callback(observer)
        this.#batches.set(callback, run)
        this.#callbacks.add(run)
      },
      removeBatchObservableCallback: (callback) => {
        const run = this.#batches.get(callback)
        if (run) this.#callbacks.delete(run)
        this.#batches.delete(callback)
      },
    }
  }

  /** What was counted since the last call. Callbacks that fail or wait longer than a second are left out. */
  async collect(): Promise<MetricRecord[]> {
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, 1_000)
    const calls = [...this.#callbacks].map(async (callback) => callback())
    await Promise.race([Promise.allSettled(calls), late.promise])
    clearTimeout(timer)
    const now = nowNano()
    return [...this.#instruments.values()].flatMap((instrument) => {
      if (instrument.series.size === 0) return []
      const metric = encode(instrument, now)
      if (!instrument.observed) {
        instrument.since = now
        // The sum of an up-down counter is a state, and stays; everything else begins anew.
        if (instrument.kind !== 'upDownCounter') instrument.series.clear()
      }
      return [{ scope: instrument.scope, metric }]
    })
  }

  #instrument(scope: string, name: string, kind: Kind, options: MetricOptions, observed: boolean): Instrument {
    const key = `${scope} ${name.toLowerCase()} ${kind}`
    const known = this.#instruments.get(key)
    if (known) return known
    const bounds = options.advice?.explicitBucketBoundaries ?? standardBounds
    const made = { scope, name, kind, options, bounds, observed, series: new Map<string, Series>(), since: nowNano() }
    this.#instruments.set(key, made)
    return made
  }
}

class ObservableInstrument implements Observable {
  readonly instrument: Instrument
  readonly #all: Set<() => void | Promise<void>>
  readonly #own = new Map<ObservableCallback, () => void | Promise<void>>()

  constructor(instrument: Instrument, all: Set<() => void | Promise<void>>) {
    this.instrument = instrument
    this.#all = all
  }

  addCallback(callback: ObservableCallback): void {
    const run = () => callback({ observe: (value, labels) => observe(this.instrument, value, labels) })
    this.#own.set(callback, run)
    this.#all.add(run)
  }

  removeCallback(callback: ObservableCallback): void {
    const run = this.#own.get(callback)
    if (run) this.#all.delete(run)
    this.#own.delete(callback)
  }
}

function seriesOf(instrument: Instrument, labels: Attributes = {}): Series {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  let key = JSON.stringify(pairs)
  const known = instrument.series.get(key)
  if (known) return known
  let encoded = attributes(Object.fromEntries(pairs))
  if (instrument.series.size >= maxSeries) {
    key = 'overflow'
    encoded = [{ key: 'otel.metric.overflow', value: { boolValue: true } }]
  }
  const buckets = instrument.kind === 'histogram' ? new Array<number>(instrument.bounds.length + 1).fill(0) : []
  const fresh = { attributes: encoded, value: 0, count: 0, min: Infinity, max: -Infinity, buckets }
  const series = instrument.series.get(key) ?? fresh
  instrument.series.set(key, series)
  return series
}

function record(instrument: Instrument, value: number, labels?: Attributes): void {
  if (!Number.isFinite(value)) return
  const series = seriesOf(instrument, labels)
  if (instrument.kind === 'gauge') {
    series.value = value
    return
  }
  series.value += value
  if (instrument.kind !== 'histogram') return
  // A bucket holds what is at most its upper boundary.
  let bucket = instrument.bounds.findIndex((bound) => value <= bound)
  if (bucket < 0) bucket = instrument.bounds.length
  series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1
  series.count++
  series.min = Math.min(series.min, value)
  series.max = Math.max(series.max, value)
}

function observe(instrument: Instrument, value: number, labels?: Attributes): void {
  if (Number.isFinite(value)) seriesOf(instrument, labels).value = value
}

function encode(instrument: Instrument, now: string): Record<string, unknown> {
  const { name, kind, options, bounds, observed } = instrument
  const base = { name, unit: options.unit ?? '', description: options.description ?? '' }
  const points = [...instrument.series.values()].map((series) => {
    const time = { attributes: series.attributes, startTimeUnixNano: instrument.since, timeUnixNano: now }
    if (kind !== 'histogram') return { ...time, asDouble: series.value }
    const { count, value, min, max, buckets } = series
    return {
      ...time,
      count: String(count),
      sum: value,
      min,
      max,
      bucketCounts: buckets.map(String),
      explicitBounds: bounds,
    }
  })
  if (kind === 'gauge') return { ...base, gauge: { dataPoints: points } }
  if (kind === 'histogram') return { ...base, histogram: { aggregationTemporality: delta, dataPoints: points } }
  const temporality = observed || kind === 'upDownCounter' ? cumulative : delta
  return { ...base, sum: { aggregationTemporality: temporality, isMonotonic: kind === 'counter', dataPoints: points } }
}
