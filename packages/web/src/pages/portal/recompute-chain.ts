import { canonicalJson } from '@landfall/stack'
import type { AuditEntry, AuditVerification } from '../../api/types.ts'

export interface Recomputed {
  entries: number
  /** What does not hold, and at which entry; null: all of it holds. */
  broken: { number: number; message: string } | null
}

async function digestOf(value: unknown): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonicalJson(value)))
  return `sha256:${[...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/**
 * Recomputes a whole audit chain in this browser, oldest entry first, by the contract's rule (`hashOf`, `genesis`), and holds the
 * checkpoints against it: so nobody has to take the manager's word that it is whole. The checkpoints' signatures are not looked at.
 *
 * @param chain the deployment's id, which the first entry follows from
 */
export async function recomputeChain(
  chain: string,
  entries: readonly AuditEntry[],
  checkpoints: AuditVerification['checkpoints'],
): Promise<Recomputed> {
  const at = new Map(checkpoints.map(({ number, hash }) => [number, hash]))
  let previous = await digestOf({ landfall: 'audit chain', chain })
  for (const [index, { hash, ...content }] of entries.entries()) {
    const { number } = content
    const broken = (message: string) => ({ entries: entries.length, broken: { number, message } })
    if (number !== index + 1) return broken(`entry ${index + 1} is missing`)
    if (content.previous !== previous) return broken('it does not follow from the entry before it')
    if ((await digestOf({ ...content, data: content.data ?? null })) !== hash)
      return broken('its hash is not that of what it says')
    if (at.has(number) && at.get(number) !== hash) return broken('a signed checkpoint says otherwise')
    previous = hash
  }
  return { entries: entries.length, broken: null }
}

/** Browsers recompute hashes only where the page came over https, or from this machine. */
export const canRecompute = (): boolean => globalThis.crypto?.subtle !== undefined
