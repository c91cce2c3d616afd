import { z } from 'zod'
import { platformNames, resourceName } from './names.ts'
import { resource } from './resources.ts'

export const manifestSchemaId = 'landfall.dev/manifest/v1'

/** A value the vendor or the customer gives per deployment. Secrets are resources, never inputs. */
export const inputDefinition = z.strictObject({
  type: z.enum(['string', 'number', 'integer', 'boolean', 'enum']),
  providedBy: z.enum(['vendor', 'customer']),
  description: z.string().optional(),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  required: z.boolean().default(false),
  values: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  /** RE2-compatible expression a string must match. */
  pattern: z.string().optional(),
})
export type InputDefinition = z.infer<typeof inputDefinition>

/** What a stack compiles to: the same JSON for every platform. Its digest is over its canonical form (RFC 8785). */
export const manifest = z.strictObject({
  schema: z.literal(manifestSchemaId),
  project: resourceName,
  platforms: z.array(z.enum(platformNames)).min(1),
  inputs: z.record(z.string().regex(/^[a-z][a-zA-Z0-9-]{0,63}$/), inputDefinition).default({}),
  /** Sorted by name. */
  resources: z.array(resource).max(500),
})
export type Manifest = z.infer<typeof manifest>
/** Before defaults are filled in. */
export type ManifestInput = z.input<typeof manifest>
