import type { Signal } from './parse-request.ts'
import { isError, severityOf } from './severity.ts'

type Group = Record<string, unknown>

/** STATUS_CODE_ERROR of a span. */
const failed = 2

/**
 * A request in OTLP's JSON shape with nothing in it but log records of error or worse, or spans that failed, for a deployment whose
 * customer lets only these leave; null when none is left. Metrics never are. The request has been checked before, so its lists
 * are lists of objects.
 */
export function onlyErrors(request: unknown, signal: Signal): Group | null {
  if (signal === 'metrics') return null
  return filter(request, names[signal], signal === 'traces' ? isFailed : (record) => isError(severityOf(record)))
}

export function isFailed(span: { status?: unknown }): boolean {
  const { status } = span
  return status !== null && typeof status === 'object' && Reflect.get(status, 'code') === failed
}

const names = {
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
} as const

function filter(
  request: unknown,
  [groups, scopes, records]: (typeof names)[Signal],
  keeps: (record: Group) => boolean,
): Group | null {
  const kept = listOf(request, groups).flatMap((group) => {
    const inner = listOf(group, scopes).flatMap((scope) => {
      const wanted = listOf(scope, records).filter(keeps)
      return wanted.length === 0 ? [] : [{ ...scope, [records]: wanted }]
    })
    return inner.length === 0 ? [] : [{ ...group, [scopes]: inner }]
  })
  return kept.length === 0 ? null : { [groups]: kept }
}

function listOf(value: unknown, name: string): Group[] {
  const list = value !== null && typeof value === 'object' ? (value as Group)[name] : undefined
  return Array.isArray(list) ? list : []
}

/** How many log records, spans or metrics a checked request holds. */
export function recordCount(request: unknown, signal: Signal): number {
  const [groups, scopes, records] = names[signal]
  return listOf(request, groups)
    .flatMap((group) => listOf(group, scopes))
    .reduce((sum, scope) => sum + listOf(scope, records).length, 0)
}
