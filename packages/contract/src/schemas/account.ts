import { z } from 'zod'
import { roles, tokenKinds } from '../route.ts'
import { projectName, time } from './common.ts'

export const user = z.object({
  id: z.string(),
  email: z.email(),
  name: z.string(),
  /** Runs this Landfall: may create projects and users. */
  operator: z.boolean(),
  createdAt: time,
  lastSeenAt: time.nullable(),
})
export const member = z.object({ user, role: z.enum(roles) })
export const principal = z.object({
  kind: z.enum(['session', ...tokenKinds]),
  user: user.nullable(),
  project: z.string().nullable(),
  deployment: z.string().nullable(),
  roles: z.record(z.string(), z.enum(roles)),
})
export const token = z.object({
  id: z.string(),
  kind: z.enum(tokenKinds),
  name: z.string(),
  /** First characters, to recognise it by. */
  prefix: z.string(),
  project: z.string().nullable(),
  deployment: z.string().nullable(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time,
  lastUsedAt: time.nullable(),
  revokedAt: time.nullable(),
})
export const newToken = z.strictObject({
  kind: z.enum(tokenKinds),
  name: z.string().min(1).max(100),
  deployment: z.string().optional(),
  /** At most 366 days. */
  expiresInDays: z.number().int().min(1).max(366).default(90),
})
/** `secret` is shown once. */
export const issuedToken = z.object({ token, secret: z.string() })
export const password = z.string().min(12).max(200)
export const project = z.object({
  name: projectName,
  createdAt: time,
  /** Key id of the pinned root, and the version of the current keyset. */
  rootKey: z.string(),
  keyset: z.number().int(),
  deployments: z.number().int(),
  role: z.enum(roles).nullable(),
})
