import { z } from 'zod'

/** RFC 9457 problem document; what every refusal looks like. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  hint: z.string(),
  problems: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  requestId: z.string().optional(),
})
export type ProblemDocument = z.infer<typeof problem>

/** ISO 8601 in UTC. */
export const time = z.iso.datetime()
export const reason = z.object({ code: z.string(), message: z.string(), since: time })
export const pageQuery = { limit: z.coerce.number().int().min(1).max(500).default(100), after: z.string().optional() }
export const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable() })

export const projectName = z.string().regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/)
/** Names of channels, groups, deployments: as people write them in a shell. */
export const slug = z.string().regex(/^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$/)
export const id = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[a-z0-9]{8,40}$`))

export const inProject = z.strictObject({ project: projectName })
/** A deployment by id or by name. */
export const inDeployment = z.strictObject({ project: projectName, deployment: z.string().min(1).max(80) })

export const control = z.strictObject({
  kind: z.enum(['pause', 'resume', 'promote', 'promote-full', 'abort', 'retry']),
  reason: z.string().max(500).optional(),
})
