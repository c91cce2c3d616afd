import { metrics } from '@opentelemetry/api'
import { scopeName } from './telemetry.ts'

/** Boundaries in seconds, as OpenTelemetry's semantic conventions for HTTP give them. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const meter = metrics.getMeter(scopeName)
const requests = meter.createHistogram('http.server.request.duration', {
  unit: 's',
  description: 'Duration of HTTP requests, until the last byte of the answer',
  advice: { explicitBucketBoundaries: bounds },
})
const invocations = meter.createHistogram('landfall.invocation.duration', {
  unit: 's',
  description: 'Duration of events and commands',
  advice: { explicitBucketBoundaries: [...bounds, 30, 60, 300, 900] },
})

export function recordRequest(
  seconds: number,
  of: { method: string; route: string; status: number; scheme: string },
): void {
  requests.record(seconds, {
    'http.request.method': of.method,
    'http.route': of.route,
    'http.response.status_code': of.status,
    'url.scheme': of.scheme,
    ...(of.status >= 500 ? { 'error.type': String(of.status) } : {}),
  })
}

export function recordInvocation(seconds: number, of: { kind: string; name: string; error?: string }): void {
  invocations.record(seconds, {
    'landfall.invocation.kind': of.kind,
    'landfall.invocation.name': of.name,
    ...(of.error === undefined ? {} : { 'error.type': of.error }),
  })
}
