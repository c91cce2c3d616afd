import { z } from 'zod'
import { time } from './common.ts'

export const commandStatus = ['queued', 'running', 'succeeded', 'failed', 'expired', 'cancelled'] as const
export const command = z.object({
  id: z.string(),
  deployment: z.string(),
  worker: z.string(),
  command: z.string(),
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
/** A series over time per version; `points` are `[milliseconds since the epoch, value]`. */
export const metricSeries = z.object({
  metric: z.string(),
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
