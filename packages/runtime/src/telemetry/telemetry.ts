import { randomUUID } from 'node:crypto'
import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { milliseconds, type Variables } from '../environment/environment.ts'
import { AsyncContextManager } from './context-manager.ts'
import { Exporter } from './exporter.ts'
import { type MetricRecord, TelemetryMeterProvider } from './meter.ts'
import { attributes } from './otlp.ts'
import { W3cPropagator } from './propagation.ts'
import { type SpanRecord, TelemetryTracerProvider } from './tracer.ts'

export const scopeName = '@landfall/runtime'

export interface Telemetry {
  emitLog(record: object): void
  /** Sends everything that waits; returns after that time at the latest. */
  flush(withinMs: number): Promise<void>
  /** Records lost since the start, of all kinds. */
  dropped(): number
}

const off: Telemetry = { emitLog: () => {}, flush: async () => {}, dropped: () => 0 }

/**
 * Makes OpenTelemetry's API work in this process: logs, metrics and traces of the vendor's code and of the runtime go by
 * OTLP/HTTP (JSON) to `OTEL_EXPORTER_OTLP_ENDPOINT`. Without an endpoint only the context is carried on.
 */
export function installTelemetry(variables: Variables): Telemetry {
  context.setGlobalContextManager(new AsyncContextManager())
  propagation.setGlobalPropagator(new W3cPropagator())
  const endpoint = variables.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/+$/, '')
  if (!endpoint || !URL.canParse(endpoint)) return off

  const headers = pairsOf(variables.OTEL_EXPORTER_OTLP_HEADERS)
  const resource = { attributes: attributes(resourceOf(variables)) }
  const exporter = (path: string, encode: (records: readonly unknown[]) => unknown, batch = 512) =>
    new Exporter({ url: `${endpoint}/v1/${path}`, headers, encode, batch })
  const logs = exporter('logs', (logRecords) => ({
    resourceLogs: [{ resource, scopeLogs: [{ scope: { name: scopeName }, logRecords }] }],
  }))
  const traces = exporter('traces', (records) => {
    const scopeSpans = byScope(records as readonly SpanRecord[]).map(([name, list]) => ({
      scope: { name },
      spans: list.map(({ scope: _, ...span }) => span),
    }))
    return { resourceSpans: [{ resource, scopeSpans }] }
  })
  const points = exporter('metrics', (records) => {
    const scopeMetrics = byScope(records as readonly MetricRecord[]).map(([name, list]) => ({
      scope: { name },
      metrics: list.map((one) => one.metric),
    }))
    return { resourceMetrics: [{ resource, scopeMetrics }] }
  })

  const meters = new TelemetryMeterProvider()
  metrics.setGlobalMeterProvider(meters)
  const ratio = Number(variables.OTEL_TRACES_SAMPLER_ARG ?? 1)
  trace.setGlobalTracerProvider(
    new TelemetryTracerProvider((span) => traces.add(span), Number.isFinite(ratio) ? ratio : 1),
  )
  const dropped = () => logs.dropped + traces.dropped + points.dropped
  const lost = meters.getMeter(scopeName).createObservableCounter('landfall.telemetry.dropped', {
    description: 'Records of telemetry that were lost',
  })
  lost.addCallback((result) => {
    if (dropped() > 0) result.observe(dropped())
  })

  const collect = async () => {
    for (const record of await meters.collect()) points.add(record)
  }
  setInterval(() => void collect(), milliseconds(variables, 'OTEL_METRIC_EXPORT_INTERVAL', 5_000)).unref()
  return {
    emitLog: (record) => logs.add(record),
    dropped,
    async flush(withinMs) {
      await collect()
      await Promise.all([logs.flush(withinMs), traces.flush(withinMs), points.flush(withinMs)])
    },
  }
}

function byScope<T extends { scope: string }>(records: readonly T[]): [string, T[]][] {
  return [...Map.groupBy(records, (record) => record.scope)]
}

function resourceOf(variables: Variables): Record<string, string | undefined> {
  return {
    'service.name': variables.LANDFALL_WORKER,
    'service.version': variables.LANDFALL_VERSION,
    'service.instance.id': randomUUID(),
    'landfall.deployment': variables.LANDFALL_DEPLOYMENT,
    'landfall.worker': variables.LANDFALL_WORKER,
    'landfall.version.id': variables.LANDFALL_VERSION_ID,
    ...pairsOf(variables.OTEL_RESOURCE_ATTRIBUTES),
  }
}

/** `key=value,key=value`, percent-encoded; what can't be read is left out. */
export function pairsOf(text: string | undefined): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const part of (text ?? '').split(',')) {
    const at = part.indexOf('=')
    if (at <= 0) continue
    try {
      pairs[decodeURIComponent(part.slice(0, at).trim())] = decodeURIComponent(part.slice(at + 1).trim())
    } catch {
      // A stray percent sign: this pair is left out.
    }
  }
  return pairs
}

/** Installed when the runtime is imported, so that instruments made while the vendor's code is imported count too. */
export const telemetry: Telemetry = installTelemetry(process.env)
