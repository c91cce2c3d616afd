export const severities = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type Severity = (typeof severities)[number]

/** OpenTelemetry's SeverityNumber: the lowest of each range of four. */
export const severityNumber = (severity: Severity): number => severities.indexOf(severity) * 4 + 1

export const severityName = (number: number): Severity => severities[Math.floor((number - 1) / 4)] ?? 'info'

export const isError = (severity: Severity): boolean => severityNumber(severity) >= severityNumber('error')

/** Ranges 1-4 trace, 5-8 debug, … 21-24 fatal (opentelemetry.io/docs/specs/otel/logs/data-model); without a number, the text. */
export function severityOf(record: { severityNumber?: unknown; severityText?: unknown }): Severity {
  const number = typeof record.severityNumber === 'number' ? record.severityNumber : 0
  if (number >= 1 && number <= 24) return severityName(number)
  const text = typeof record.severityText === 'string' ? record.severityText.toLowerCase() : ''
  return severities.find((name) => text.startsWith(name)) ?? 'info'
}
