import { z } from 'zod'
import { route } from '../route.ts'
import { inProject } from '../schemas/common.ts'

const tag = 'telemetry'
const otlp = (signal: 'logs' | 'metrics' | 'traces') =>
  route({
    operation: `otlp${signal.charAt(0).toUpperCase()}${signal.slice(1)}`,
    method: 'POST',
    path: `/v1/${signal}`,
    tag,
    summary: `OTLP/HTTP ${signal}, protobuf or JSON, gzip allowed`,
    access: { tokens: ['agent'] },
    body: 'bytes',
    maxBody: 8_388_608,
    result: 'bytes',
    status: 200,
  })
const settings = z.strictObject({
  /** OTLP/HTTP base URLs that everything is sent on to. Header values are secrets: kept sealed, shown as `***`. */
  forward: z.array(z.strictObject({ url: z.url(), headers: z.record(z.string(), z.string()).default({}) })).max(5),
  retentionDays: z.number().int().min(1).max(90),
})
export const telemetryRoutes = {
  otlpLogs: otlp('logs'),
  otlpMetrics: otlp('metrics'),
  otlpTraces: otlp('traces'),
  getTelemetrySettings: route({
    operation: 'getTelemetrySettings',
    method: 'GET',
    path: '/api/projects/{project}/telemetry',
    tag,
    summary: 'Forwarding and retention',
    access: { role: 'viewer' },
    params: inProject,
    result: settings,
  }),
  putTelemetrySettings: route({
    operation: 'putTelemetrySettings',
    method: 'PUT',
    path: '/api/projects/{project}/telemetry',
    tag,
    summary: 'Change forwarding and retention',
    access: { role: 'admin' },
    params: inProject,
    body: settings,
    result: settings,
  }),
}
