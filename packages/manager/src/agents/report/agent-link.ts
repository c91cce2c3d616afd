import { type AuditLink, hashOf } from '@landfall/contract'
import type { AuditEntry } from '../../audit/append-audit.ts'

/** Where a copied entry keeps what its own chain replaced. */
const field = 'agentLink'

interface Kept {
  number: number
  actor: string
  previous: string
  hash: string
  /** Only where the link's data could not stand beside this field. */
  data?: unknown
}

/**
 * A link of an agent's chain as an entry of the deployment's chain in the manager: type, code, message and data where they are looked
 * for, and in `data.agentLink` what it takes to prove the agent's chain from this copy alone.
 */
export function entryOf(link: AuditLink, project: string): AuditEntry {
  const { deployment, at, type, actor, code, message, resource, data } = link
  const beside = isObject(data) && !Object.hasOwn(data, field)
  const kept: Kept = {
    number: link.number,
    actor,
    previous: link.previous,
    hash: link.hash,
    ...(beside || data === null ? {} : { data }),
  }
  return {
    project,
    deployment,
    type,
    actor: `agent:${actor}`,
    code,
    message,
    resource,
    data: { ...(beside ? data : {}), [field]: kept },
    at: Date.parse(at),
  }
}

/** The agent's link that an entry is the copy of; null when it is none, or when it does not hash to what it says. */
export function linkOf(entry: AuditLink): AuditLink | null {
  if (!isObject(entry.data)) return null
  const { [field]: kept, ...rest } = entry.data as Record<string, unknown> & { [field]?: Kept }
  if (!isObject(kept)) return null
  const { number, actor, previous, hash } = kept
  const beside = Object.keys(rest).length > 0
  const { deployment, at, type, code, message, resource } = entry
  const of = (data: unknown): AuditLink => ({
    deployment,
    number,
    at,
    type,
    actor,
    code,
    message,
    resource,
    data,
    previous,
    hash,
  })
  // Nothing beside it: there was nothing, or an empty object. The hash tells which.
  const candidates = 'data' in kept ? [kept.data] : beside ? [rest] : [null, {}]
  return candidates.map(of).find((link) => hashOf(link) === hash) ?? null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
