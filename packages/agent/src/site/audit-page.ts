import { type AuditLink, hashOf } from '@landfall/contract'
import type { AgentAudit } from '../audit/agent-audit.ts'

/** Links above a number, and whether each holds and follows from the one before it. The whole chain: `AgentAudit.verify`. */
export function auditPage(
  audit: AgentAudit,
  deployment: string,
  after: number,
  limit: number,
): { links: AuditLink[]; ok: boolean } {
  const links = audit.list(deployment, after, limit)
  const ok = links.every((link, index) => {
    const before = links[index - 1]
    return (
      hashOf(link) === link.hash && (!before || (link.number === before.number + 1 && link.previous === before.hash))
    )
  })
  return { links, ok }
}
