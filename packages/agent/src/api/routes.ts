import { customerSettings } from '@landfall/stack'
import { z } from 'zod'
import { saidBy } from './said-by.ts'

const by = z.string().min(1).max(100).default('somebody').transform(saidBy)
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** Bodies of the local API, by `METHOD path`. What is not here is a GET, or takes bytes. */
export const bodies = {
  'POST /v1/imports': z.strictObject({ file: z.string().min(1).max(4096), allowOlder: z.boolean().default(false), by }),
  'POST /v1/exports': z.strictObject({ by }),
  'POST /v1/exports/confirm': z.strictObject({ through: z.number().int().min(1), by }),
  'POST /v1/answers': z.strictObject({
    gate: z.string().min(1).max(200).default('update'),
    target: digest,
    status: z.enum(['pass', 'fail']),
    message: z.string().max(500).optional(),
    by,
  }),
  'POST /v1/commands': z.strictObject({ envelope: z.string().min(1).max(2_000_000), by }),
  'POST /v1/pause': z.strictObject({ by }),
  'POST /v1/resume': z.strictObject({ by }),
  /** What is not named stays as it is; null gives it back to the portal. */
  'POST /v1/settings': z.strictObject({ change: settingsChange(), by }),
} as const
export type Body<R extends keyof typeof bodies> = z.input<(typeof bodies)[R]>

export const auditQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const logQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(5_000).default(100) })
export const uploadQuery = z.strictObject({ allowOlder: z.enum(['true', 'false']).default('false'), by })

function settingsChange() {
  const { updates, approvals, windows, telemetry, access } = customerSettings.shape
  return z.strictObject({
    updates: updates.unwrap().nullish(),
    approvals: approvals.unwrap().nullish(),
    windows: windows.unwrap().nullish(),
    telemetry: telemetry.unwrap().nullish(),
    access: access.unwrap().nullish(),
  })
}
