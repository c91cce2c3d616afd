import type { DeploymentState } from '@landfall/engine'
import { digest } from '@landfall/stack'
import { z } from 'zod'

/** An instant that `Date` can hold. */
const instant = z.number().min(0).max(8.64e15)
const reason = z.looseObject({ code: z.string(), message: z.string(), since: instant })
const target = z.looseObject({ digest, release: digest, config: digest })
const named = <T extends z.ZodType>(value: T) => z.record(z.string().max(200), value)

const resource = z.looseObject({
  name: z.string(),
  type: z.string(),
  lifecycle: z.enum(['frozen', 'live']),
  phase: z.enum(['pending', 'creating', 'ready', 'updating', 'degraded', 'failed', 'deleting', 'deleted']),
  reason: reason.nullable(),
  applied: z.string().nullable(),
  data: named(z.unknown()),
  outputs: named(z.unknown()),
  drift: z.array(z.string()),
})

const rollout = z.looseObject({
  phase: z.string(),
  step: z.number(),
  asked: z.number(),
  served: z.number(),
  reason,
  evidence: z.array(z.unknown()).optional(),
  series: z.array(z.unknown()).optional(),
  decisions: z
    .array(z.looseObject({ at: z.number(), code: z.string(), message: z.string(), step: z.number() }))
    .optional(),
})

const worker = z.looseObject({
  stable: z.string().nullable(),
  candidate: z.string().nullable(),
  rollout: rollout.nullable(),
  served: named(z.number()),
  url: z.string().nullable(),
  versions: named(z.looseObject({ target })).optional(),
})

/**
 * The engine's `DeploymentState` as far as anything here reads it. What an agent of another version adds is kept; what pages would
 * stumble over is refused.
 */
export const reportedState = z.looseObject({
  version: z.literal(1),
  phase: z.enum([
    'pending',
    'setting-up',
    'needs-setup',
    'updating',
    'returning',
    'running',
    'failed',
    'access-revoked',
    'deleting',
    'deleted',
  ]),
  reason,
  generation: z.number().int().min(0),
  stable: target.nullable(),
  candidate: target.nullable(),
  rejected: z.array(z.looseObject({ target: z.string(), code: z.string(), message: z.string(), at: instant })),
  sequence: z.number().int().min(0),
  resources: named(resource),
  workers: named(worker),
  conditions: z.array(reason.extend({ type: z.string(), status: z.enum(['true', 'false', 'unknown']) })),
  seenControls: z.array(z.string()),
  previous: target.nullish(),
  history: z.array(target).max(100).optional(),
  parked: z.looseObject({ since: instant, probeAt: instant.nullable() }).nullish(),
}) satisfies z.ZodType<Pick<DeploymentState, 'version' | 'phase' | 'generation'>>
