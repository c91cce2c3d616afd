import { context, isSpanContextValid, trace } from '@opentelemetry/api'
import type { StructuredLine } from '../protocol.ts'
import { anyValue, attributes, cut, describeError } from './otlp.ts'
import { telemetry } from './telemetry.ts'
import { nowNano } from './time.ts'

export type LogLevel = StructuredLine['level']

/** SeverityNumber of OpenTelemetry's log model. */
const severity: Record<LogLevel, number> = { debug: 5, info: 9, warn: 13, error: 17 }

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  /** An error under any name of `fields` is written with its message, stack and cause. */
  error(message: string, fields?: Record<string, unknown>): void
}

/**
 * Structured log: one line of JSON on standard output, and a record of OTLP; the record is made by the platform where it
 * reads standard output (`LANDFALL_LOGS`). `LOG_LEVEL` leaves out what is below it.
 */
export const log: Log = {
  debug: (message, fields) => write('debug', message, fields),
  info: (message, fields) => write('info', message, fields),
  warn: (message, fields) => write('warn', message, fields),
  error: (message, fields) => write('error', message, fields),
}

const taken: ReadonlySet<string> = new Set<keyof StructuredLine>(['time', 'level', 'message', 'traceId', 'spanId'])

function write(level: LogLevel, message: string, given: Record<string, unknown> = {}): void {
  const wanted = process.env.LOG_LEVEL?.toLowerCase() ?? 'info'
  if (severity[level] < (severity[wanted as LogLevel] ?? severity.info)) return
  const active = trace.getSpanContext(context.active())
  const span = active && isSpanContextValid(active) ? active : undefined
  const ids = span ? { traceId: span.traceId, spanId: span.spanId } : {}
  const fields = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [taken.has(name) ? `fields.${name}` : name, value]),
  )
  const own: StructuredLine = { time: new Date().toISOString(), level, message: cut(message), ...ids }
  process.stdout.write(`${line({ ...own, ...fields })}\n`)
  if (process.env.LANDFALL_LOGS === 'stdout') return
  telemetry.emitLog({
    timeUnixNano: nowNano(),
    severityNumber: severity[level],
    severityText: level.toUpperCase(),
    body: anyValue(message),
    attributes: attributes(fields),
    ...ids,
    ...(span ? { flags: span.traceFlags } : {}),
  })
}

/** Never throws: a log that fails must not take the request with it. */
function line(record: Record<string, unknown>): string {
  try {
    return JSON.stringify(record, (_key, value: unknown) => {
      if (value instanceof Error) return describeError(value)
      return typeof value === 'bigint' ? value.toString() : value
    })
  } catch {
    return JSON.stringify({ time: record.time, level: record.level, message: record.message, fields: 'not JSON' })
  }
}
