import { digestOf } from '@landfall/stack'
import type { z } from 'zod'
import type { auditEntry } from '../schemas/activity.ts'

/** One link of an audit chain. */
export type AuditLink = z.infer<typeof auditEntry>
/** What a link says; its hash is over the canonical JSON of exactly this. */
export type AuditContent = Omit<AuditLink, 'hash'>

/** Where a chain ends. */
export interface AuditHead {
  number: number
  hash: string
}

/** Name of an agent's own chain of a deployment; the manager keeps another one of it, under the deployment's id. */
export const agentChain = (deployment: string): string => `agent:${deployment}`

/** What the first link follows from: it binds a chain to its name, so that one can't be passed off as another. */
export const genesis = (chain: string): string => digestOf({ landfall: 'audit chain', chain })

/** `sha256(canonical(entry with previous))`: RFC 8785, so that anybody can recompute it from an export. */
export function hashOf(content: AuditContent): string {
  const { deployment, number, at, type, actor, code, message, resource, data, previous } = content
  return digestOf({ deployment, number, at, type, actor, code, message, resource, data: data ?? null, previous })
}

/**
 * A value as every store of a chain gives it back (PostgreSQL's jsonb, an agent's JSON), so that the hash over what is read equals the
 * one over what was written: no NUL characters, no lone surrogates, no undefined, no numbers that JSON lacks.
 */
export function storable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => storable(item ?? null))
  // Once through JSON, all of it: what is inside is plain then.
  if (value !== null && typeof value === 'object') return storableJson(JSON.parse(JSON.stringify(value)))
  return storableJson(value)
}

function storableJson(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (Array.isArray(value)) return value.map(storableJson)
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [storableText(key), storableJson(member)]))
  return typeof value === 'boolean' ? value : null
}

export const storableText = (text: string): string => text.replaceAll('\0', '').toWellFormed()
