import type { auditEntry } from '@landfall/contract'
import { digestOf } from '@landfall/stack'
import type { z } from 'zod'

/** One link, as the contract's `auditEntry`. */
export type AuditLink = z.infer<typeof auditEntry>

/** The agent's chain of a deployment; the manager keeps another one of the same deployment, under the deployment's own name. */
export const chainOf = (deployment: string): string => `agent:${deployment}`

/** What the first link follows from: it binds a chain to its name, so that one can't be passed off as another. */
export const genesis = (chain: string): string => digestOf({ landfall: 'audit chain', chain })

/** `sha256(canonical(entry without hash))` (RFC 8785): the contract's rule, the same as the manager's (a test holds them equal). */
export function hashOf(content: Omit<AuditLink, 'hash'>): string {
  const { deployment, number, at, type, actor, code, message, resource, data, previous } = content
  return digestOf({ deployment, number, at, type, actor, code, message, resource, data: data ?? null, previous })
}

/** A value as JSON and the manager's database give it back: no NUL, no lone surrogates, no undefined, no numbers that JSON lacks. */
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
