import { type AuditHead, type AuditLink, hashOf, storable } from '@landfall/contract'
import { canonicalJson, LandfallError } from '@landfall/stack'

/**
 * The links that are new here, and where the chain then ends: each must follow from the one before it and be what its hash says. Links
 * that are here already are passed over.
 *
 * @throws LandfallError `E_AUDIT_GAP` when links in between are missing, `E_AUDIT_BROKEN` when they do not fit
 */
export function takeLinks(
  links: readonly AuditLink[],
  deployment: string,
  from: AuditHead,
): { fresh: AuditLink[]; head: AuditHead } {
  let head = from
  const fresh: AuditLink[] = []
  for (const link of links) {
    if (link.number < head.number) continue
    if (link.number === head.number && link.hash === head.hash) continue
    if (link.number === head.number) throw broken(link.number, 'is another one than the one that is here')
    if (link.number !== head.number + 1) throw gap(link.number, head)
    if (link.previous !== head.hash) throw broken(link.number, 'does not follow from the one before it')
    if (link.deployment !== deployment) throw broken(link.number, 'is of another deployment')
    if (new Date(link.at).toISOString() !== link.at) throw broken(link.number, 'has a time that is spelled differently')
    if (hashOf(link) !== link.hash) throw broken(link.number, 'is not what its hash says')
    if (!keeps(link)) throw broken(link.number, 'holds what can’t be stored')
    head = { number: link.number, hash: link.hash }
    fresh.push(link)
  }
  return { fresh, head }
}

/** Whether the database gives it back as it is. */
function keeps({ data, message, actor, type, code, resource }: AuditLink): boolean {
  const value = { data, message, actor, type, code, resource }
  return canonicalJson(storable(value)) === canonicalJson(value)
}

function gap(number: number, head: AuditHead): LandfallError {
  return new LandfallError({
    code: 'E_AUDIT_GAP',
    message: `The agent’s audit goes on with entry ${number}; what is here ends with ${head.number}.`,
    hint: `The agent sends again, from entry ${head.number + 1} on. Nothing of this report was taken.`,
  })
}

function broken(number: number, why: string): LandfallError {
  return new LandfallError({
    code: 'E_AUDIT_BROKEN',
    message: `Entry ${number} of the agent’s audit ${why}.`,
    hint: 'Its record was changed, or an old copy of the agent goes on. Look there; a new setup with `replace` begins a new record.',
  })
}
