import { z } from 'zod'

/** Where resources can live. */
export const platformNames = ['aws', 'gcp', 'azure', 'kubernetes', 'local'] as const
export type PlatformName = (typeof platformNames)[number]

/** Who runs the engine for a deployment. */
export const models = ['push', 'pull', 'airgapped'] as const
export type Model = (typeof models)[number]

/** `frozen`: created at setup, afterwards only monitored. `live`: managed by releases. */
export const lifecycles = ['frozen', 'live'] as const
export type Lifecycle = (typeof lifecycles)[number]

export const resourceTypes = [
  'worker',
  'container',
  'storage',
  'kv',
  'queue',
  'secret',
  'postgres',
  'manifests',
] as const
export type ResourceType = (typeof resourceTypes)[number]

/** DNS-label-like, so that it survives as part of a name on every platform. At most 40 characters. */
export const resourceName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'use lower-case letters, digits and dashes, starting with a letter, at most 40',
  )

export const environmentName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]{0,127}$/, 'use upper-case letters, digits and underscores')

/** `sha256:` + 64 hex digits. */
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'not a sha256 digest')
export type Digest = string

/** A duration as people write it: `500ms`, `90s`, `3m`, `2h`, `7d`. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'write a duration such as 500ms, 90s, 3m, 2h or 7d')

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of a duration such as `3m`; throws `RangeError` on anything else. */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (!match) throw new RangeError(`not a duration: ${text}`)
  return Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs])
}
