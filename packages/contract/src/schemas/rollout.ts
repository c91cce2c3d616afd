import { digest } from '@landfall/stack'
import { z } from 'zod'
import { reason, time } from './common.ts'
import { fleetPlan } from './release.ts'

export const rolloutMember = z.object({
  deployment: z.string(),
  name: z.string(),
  group: z.string().nullable(),
  wave: z.number().int(),
  status: z.enum(['waiting', 'in-flight', 'succeeded', 'failed', 'excluded', 'returning', 'returned']),
  reason: z.object({ code: z.string(), message: z.string() }).nullable(),
  since: time,
  /** Worker-scale share now, the largest of its workers; null when nothing moves. */
  asked: z.number().nullable(),
  served: z.number().nullable(),
  fromVersion: z.string().nullable(),
})
export const rollout = z.object({
  id: z.string(),
  release: digest,
  version: z.string(),
  channel: z.string(),
  phase: z.enum(['pending', 'progressing', 'paused', 'promoting', 'complete', 'aborting', 'aborted', 'superseded']),
  wave: z.number().int(),
  waves: z.array(
    z.object({
      name: z.string(),
      total: z.number(),
      counted: z.number(),
      succeeded: z.number(),
      failed: z.number(),
      inFlight: z.number(),
      returned: z.number(),
    }),
  ),
  reason,
  createdAt: time,
  createdBy: z.string(),
  finishedAt: time.nullable(),
})
export const rolloutDetail = rollout.extend({
  plan: fleetPlan,
  members: z.array(rolloutMember),
  decisions: z.array(z.object({ at: time, code: z.string(), message: z.string(), by: z.string().nullable() })),
  sentence: z.string(),
})
export const freeze = z.object({
  id: z.string(),
  reason: z.string(),
  until: time.nullable(),
  createdAt: time,
  createdBy: z.string(),
  liftedAt: time.nullable(),
})
