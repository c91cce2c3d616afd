import { customerSettings, digest, models, platformNames } from '@landfall/stack'
import { z } from 'zod'
import { id, reason, slug, time } from './common.ts'

export const policy = z.strictObject({
  drift: z.enum(['report', 'correct']).default('correct'),
  windowClose: z.enum(['finish', 'abort']).default('finish'),
  trustedKeys: z
    .array(z.enum(['vendor', 'manager', 'agent']))
    .min(1)
    .default(['vendor']),
})
export const newDeployment = z.strictObject({
  name: slug,
  group: slug.optional(),
  channel: slug.default('stable'),
  platform: z.enum(platformNames),
  model: z.enum(models).default('push'),
  /** Platform-specific; for local `{ directory? }`. */
  environment: z.record(z.string(), z.unknown()).default({}),
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** Values of secrets by resource name; sealed on arrival, never shown again. */
  secrets: z.record(z.string(), z.string().max(65_536)).default({}),
  policy: policy.prefault({}),
  /** What was agreed with the customer; afterwards only the customer changes it. */
  customer: customerSettings.prefault({}),
  /** Set up with the newest release's frozen resources at once, as reviewed by the caller. */
  setup: z.boolean().default(true),
})
export const targetRef = z.object({ digest, release: digest, version: z.string(), config: digest })
/** One row of the fleet page. */
export const deployment = z.object({
  id: id('dep'),
  name: z.string(),
  group: z.string().nullable(),
  channel: z.string(),
  pinned: z.string().nullable(),
  platform: z.enum(platformNames),
  model: z.enum(models),
  phase: z.string(),
  /** What it rests on, and what it is on its way to. */
  actual: targetRef.nullable(),
  target: targetRef.nullable(),
  /** Newest release it is allowed to run, and how many releases it is behind; 0 while it runs nothing yet (`actual` is null). */
  newest: z.string().nullable(),
  versionsBehind: z.number().int(),
  health: z.enum(['healthy', 'degraded', 'failed', 'unknown']),
  reason,
  rollout: z.string().nullable(),
  lastSeenAt: time.nullable(),
  createdAt: time,
})
export const condition = z.object({
  type: z.string(),
  status: z.enum(['true', 'false', 'unknown']),
  code: z.string(),
  message: z.string(),
  since: time,
})
export const resourceStatus = z.object({
  name: z.string(),
  type: z.string(),
  lifecycle: z.enum(['frozen', 'live']),
  phase: z.string(),
  reason: reason.nullable(),
  dependsOn: z.array(z.string()),
  drift: z.array(z.string()),
  outputs: z.record(z.string(), z.unknown()),
})
/** Evidence is `Evidence` of packages/rollout with times in milliseconds: it is drawn, not read. */
export const workerRollout = z.object({
  worker: z.string(),
  url: z.string().nullable(),
  stableVersion: z.string().nullable(),
  candidateVersion: z.string().nullable(),
  phase: z.string().nullable(),
  step: z.number().int(),
  steps: z.array(z.object({ share: z.number(), bakeMs: z.number() })),
  asked: z.number(),
  served: z.number(),
  reason: reason.nullable(),
  evidence: z.array(z.unknown()),
  series: z.array(z.unknown()),
  decisions: z.array(
    z.object({ at: z.number(), code: z.string(), message: z.string(), step: z.number(), by: z.string().optional() }),
  ),
  aborted: z.unknown().nullable(),
})
export const deploymentDetail = deployment.extend({
  environment: z.record(z.string(), z.unknown()),
  policy,
  conditions: z.array(condition),
  resources: z.array(resourceStatus),
  workers: z.array(workerRollout),
  generation: z.object({ requested: z.number().int(), observed: z.number().int() }),
  rejected: z.array(z.object({ version: z.string(), code: z.string(), message: z.string(), at: time })),
  /** What a person has to apply before the target can be reached. */
  setupDifference: z.array(z.string()),
  commands: z.array(
    z.object({ worker: z.string(), name: z.string(), description: z.string().nullable(), input: z.unknown() }),
  ),
})
export const explanation = z.object({
  sentence: z.string(),
  actual: z.string().nullable(),
  newest: z.string().nullable(),
  /** The chain from the release to the environment, and where it stands. */
  checks: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['ok', 'waiting', 'blocked', 'unknown']),
      message: z.string(),
      code: z.string(),
      since: time.nullable(),
    }),
  ),
  next: z.string(),
})
export const config = z.object({
  digest,
  inputs: z.array(
    z.object({
      name: z.string(),
      value: z.union([z.string(), z.number(), z.boolean()]).nullable(),
      default: z.boolean(),
      providedBy: z.enum(['vendor', 'customer']),
      setBy: z.string().nullable(),
      setAt: time.nullable(),
    }),
  ),
  secrets: z.array(
    z.object({
      name: z.string(),
      version: z.number().int(),
      providedBy: z.enum(['vendor', 'customer', 'generated']),
      setBy: z.string().nullable(),
      setAt: time.nullable(),
    }),
  ),
})
export const group = z.object({ name: slug, description: z.string(), deployments: z.number().int() })
