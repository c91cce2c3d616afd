import { customerSettings, digest } from '@landfall/stack'
import { z } from 'zod'
import { reason, time } from './common.ts'

/** A person's answer to what waits for one. */
export const newAnswer = z.strictObject({
  /** `update`, or the id of an approval gate of the plan. */
  gate: z.string().min(1).max(200).default('update'),
  /** The digest of the target as it was shown: another one is refused, however alike. */
  target: digest,
  status: z.enum(['pass', 'fail']),
  message: z.string().max(500).optional(),
})
export const storedAnswer = newAnswer.extend({ by: z.string(), at: time, where: z.enum(['portal', 'agent']) })

/** Something that waits for the customer. */
export const request = z.object({
  kind: z.enum(['update', 'gate', 'setup', 'secret']),
  gate: z.string(),
  target: digest.nullable(),
  version: z.string().nullable(),
  message: z.string(),
  since: time,
  /** What changes, in plain words. */
  difference: z.array(z.object({ area: z.string(), change: z.string() })),
  /** False where approvals count at the agent alone: the portal then says how to give it there. */
  answerable: z.boolean(),
})
/** One thing that the software may do in the environment, and why. */
export const permission = z.object({
  resource: z.string(),
  lifecycle: z.enum(['frozen', 'live']),
  action: z.string(),
  reason: z.string(),
})
export const windowsView = z.object({ open: z.boolean(), changesAt: time.nullable() })

/** The whole of the customer's page. */
export const portal = z.object({
  vendor: z.object({ project: z.string(), name: z.string(), logo: z.string().nullable() }),
  deployment: z.object({
    id: z.string(),
    name: z.string(),
    model: z.string(),
    platform: z.string(),
    phase: z.string(),
    reason,
    lastSeenAt: time.nullable(),
  }),
  /** One sentence: what runs, and what waits. */
  sentence: z.string(),
  running: z.object({ version: z.string(), since: time.nullable(), health: z.string() }).nullable(),
  arriving: z.object({ version: z.string(), share: z.number().nullable() }).nullable(),
  requests: z.array(request),
  answers: z.array(storedAnswer),
  settings: customerSettings,
  /** Settings that were set at the agent: they win, and cannot be changed here. */
  local: z.array(z.string()),
  windows: windowsView,
  permissions: z.array(permission),
  /** How to end access for good, in the customer's own environment. */
  leave: z.array(z.string()),
  /** When the link of this visit ends. */
  expiresAt: time.nullable(),
})
export type Portal = z.infer<typeof portal>
