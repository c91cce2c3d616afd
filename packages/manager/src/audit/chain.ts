import { digestOf } from '@landfall/stack'

/** What one link of a chain says; its hash is over the canonical JSON of exactly this. */
export interface AuditContent {
  deployment: string | null
  number: number
  /** ISO 8601 in UTC, with milliseconds. */
  at: string
  type: string
  actor: string
  code: string | null
  message: string
  resource: string | null
  data: unknown
  /** Hash of the link before it; of the first, `genesis(chain)`. */
  previous: string
}

/** Name of the chain that an entry belongs to: the deployment's, else the project's, else the installation's. */
export function chainOf(entry: { project: string | null; deployment: string | null }): string {
  return entry.deployment ?? (entry.project === null ? 'landfall' : `project:${entry.project}`)
}

/** What the first link follows from: it binds a chain to its name, so that one can't be passed off as another. */
export const genesis = (chain: string): string => digestOf({ landfall: 'audit chain', chain })

/** `sha256(canonical(entry with previous))`: RFC 8785, so that anybody can recompute it from an export. */
export function hashOf(content: AuditContent): string {
  const { deployment, number, at, type, actor, code, message, resource, data, previous } = content
  return digestOf({ deployment, number, at, type, actor, code, message, resource, data: data ?? null, previous })
}

/**
 * A value as PostgreSQL's jsonb gives it back, so that the hash over what is read equals the one over what was written: no
 * NUL characters, no lone surrogates, no undefined.
 */
export function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (Array.isArray(value)) return value.map((item) => storable(item ?? null))
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(JSON.parse(JSON.stringify(value)) as object)
    return Object.fromEntries(members.map(([key, member]) => [storableText(key), storable(member)]))
  }
  return typeof value === 'boolean' ? value : null
}

export const storableText = (text: string): string => text.replaceAll('\0', '').toWellFormed()
