import { type Severity, severities, severityOf } from './log-rows.ts'

const error: Severity = 'error'

export const isError = (severity: Severity): boolean => severities.indexOf(severity) >= severities.indexOf(error)

/**
 * A request for logs in OTLP's JSON shape with nothing in it but lines of error or worse, for a deployment whose customer lets
 * only these leave; null when none is left. The request has been parsed as logs before, so its lists are lists of objects.
 */
export function onlyErrors(request: unknown): Record<string, unknown> | null {
  const resourceLogs = listOf(request, 'resourceLogs').flatMap((group) => {
    const scopeLogs = listOf(group, 'scopeLogs').flatMap((scope) => {
      const logRecords = listOf(scope, 'logRecords').filter((record) => isError(severityOf(record)))
      return logRecords.length === 0 ? [] : [{ ...scope, logRecords }]
    })
    return scopeLogs.length === 0 ? [] : [{ ...group, scopeLogs }]
  })
  return resourceLogs.length === 0 ? null : { resourceLogs }
}

function listOf(value: unknown, name: string): Record<string, unknown>[] {
  const list = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined
  return Array.isArray(list) ? list : []
}
