import { digest } from '@landfall/stack'
import { z } from 'zod'
import { slug, time } from './common.ts'

/** DSSE envelope (https://github.com/secure-systems-lab/dsse). */
export const envelope = z.strictObject({
  payloadType: z.string().max(200),
  payload: z.string(),
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(200), sig: z.string().max(2000) }))
    .min(1)
    .max(16),
})
export const artifact = z.object({ resource: z.string(), digest, mediaType: z.string(), size: z.number().int() })
export const release = z.object({
  digest,
  version: z.string(),
  channel: z.string(),
  sequence: z.number().int(),
  createdAt: time,
  publishedAt: time,
  publishedBy: z.string(),
  signedBy: z.array(z.object({ keyid: z.string(), kind: z.enum(['vendor', 'manager', 'agent']) })),
  provenance: z.record(z.string(), z.unknown()),
  artifacts: z.array(artifact),
  /** Deployments resting on it, and on the way to it. */
  running: z.number().int(),
  arriving: z.number().int(),
  rollout: z.string().nullable(),
})
export const releaseDetail = release.extend({
  manifest: z.unknown(),
  envelope,
  /** Against the release before it in its channel. */
  difference: z.object({
    from: z.string().nullable(),
    lines: z.array(z.object({ area: z.string(), change: z.string() })),
  }),
  deployments: z.array(
    z.object({ id: z.string(), name: z.string(), state: z.enum(['running', 'arriving', 'went-back']) }),
  ),
})
export const channel = z.object({
  name: slug,
  description: z.string(),
  plan: z.lazy(() => fleetPlan),
  newest: z.string().nullable(),
  deployments: z.number().int(),
})

export const wave = z.strictObject({
  name: z.string().min(1).max(60),
  groups: z.array(slug).optional(),
  share: z.number().gt(0).max(100).optional(),
  soak: z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/)
    .default('0s'),
  pause: z.boolean().optional(),
})
/** How a channel's releases reach its deployments. */
export const fleetPlan = z.strictObject({
  waves: z.array(wave).min(1).max(50),
  maxInFlight: z.number().int().min(1).max(100_000).default(50),
  minSuccess: z.number().min(0).max(100).default(100),
  maxFailures: z.number().int().min(1).default(1),
  onFailure: z.enum(['pause', 'abort']).default('abort'),
  rollbackReached: z.boolean().default(true),
})
