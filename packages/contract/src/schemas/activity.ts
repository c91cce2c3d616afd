import { z } from 'zod'
import { time } from './common.ts'

export const commandStatus = ['queued', 'running', 'succeeded', 'failed', 'expired', 'cancelled'] as const
export const commandVia = ['direct', 'bundle', 'agent'] as const
export const command = z.object({
  id: z.string(),
  deployment: z.string(),
  worker: z.string(),
  command: z.string(),
  /** `direct`: by the manager, or by its agent over sync · `bundle`: signed, carried to the site · `agent`: made at the site */
  via: z.enum(commandVia),
  input: z.unknown(),
  status: z.enum(commandStatus),
  attempt: z.number().int(),
  createdAt: time,
  createdBy: z.string(),
  deadline: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  result: z.unknown().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  output: z.string(),
})
export const newCommand = z.strictObject({
  worker: z.string().optional(),
  command: z.string(),
  input: z.unknown().default({}),
  deadlineSeconds: z.number().int().min(1).max(86_400).optional(),
})
/** One link of a deployment's audit chain: `hash = sha256(canonical({ ...entry without hash, previous }))`. */
export const auditEntry = z.object({
  deployment: z.string().nullable(),
  number: z.number().int(),
  at: time,
  type: z.string(),
  actor: z.string(),
  code: z.string().nullable(),
  message: z.string(),
  resource: z.string().nullable(),
  data: z.unknown().nullable(),
  previous: z.string(),
  hash: z.string(),
})
export const auditVerification = z.object({
  ok: z.boolean(),
  entries: z.number().int(),
  head: z.string().nullable(),
  /** The first entry that does not follow from the one before it. */
  broken: z.object({ number: z.number().int(), message: z.string() }).nullable(),
  checkpoints: z.array(z.object({ number: z.number().int(), hash: z.string(), at: time, signature: z.string() })),
})
export const logLine = z.object({
  id: z.string(),
  at: time,
  severity: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
  worker: z.string().nullable(),
  version: z.string().nullable(),
  body: z.string(),
  attributes: z.record(z.string(), z.unknown()),
  trace: z.string().nullable(),
})
/** One trace: what one request caused, over all workers. */
export const traceSummary = z.object({
  trace: z.string(),
  at: time,
  durationMs: z.number(),
  /** Of its root span, or the first that is known. */
  name: z.string(),
  spans: z.number().int(),
  errors: z.number().int(),
  workers: z.array(z.string()),
  versions: z.array(z.string()),
})
export const span = z.object({
  span: z.string(),
  parent: z.string().nullable(),
  /** 0: a root, or one whose parent is not known. */
  depth: z.number().int(),
  at: time,
  /** Since the trace began. */
  offsetMs: z.number(),
  durationMs: z.number(),
  name: z.string(),
  kind: z.enum(['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']),
  status: z.enum(['unset', 'ok', 'error']),
  message: z.string().nullable(),
  worker: z.string().nullable(),
  version: z.string().nullable(),
  attributes: z.record(z.string(), z.unknown()),
  events: z.array(z.object({ at: time, name: z.string(), attributes: z.record(z.string(), z.unknown()) })),
})
/** What is beyond a bound of the store and was not kept, in total. */
export const telemetryDrop = z.object({ reason: z.string(), records: z.number(), lastAt: time })
/** A series over time per version; `points` are `[milliseconds since the epoch, value]`. */
export const metricSeries = z.object({
  metric: z.string(),
  /** Of a worker's own metric: what is shown of it, and the attributes that tell its series apart. */
  shows: z.enum(['rate', 'value', 'mean', 'p50', 'p90', 'p99']).optional(),
  labels: z.record(z.string(), z.unknown()).optional(),
  unit: z.string(),
  worker: z.string(),
  version: z.string(),
  points: z.array(z.tuple([z.number(), z.number().nullable()])),
})
/** What the event stream carries: something changed; read it again. `kind: hello` opens the stream. */
export const change = z.object({
  kind: z.enum(['hello', 'deployment', 'rollout', 'release', 'command', 'audit']),
  id: z.string(),
  at: time,
})
