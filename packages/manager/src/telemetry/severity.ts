import { type Severity, severities } from './otlp/log-rows.ts'

/** OpenTelemetry's SeverityNumber: the lowest of each range of four. */
export const severityNumber = (severity: Severity): number => severities.indexOf(severity) * 4 + 1

export const severityName = (number: number): Severity => severities[Math.floor((number - 1) / 4)] ?? 'info'
