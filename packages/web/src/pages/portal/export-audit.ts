import { customerApi, type LiveVisit } from '../../api/portal.ts'
import type { AuditEntry } from '../../api/types.ts'
import { saveFile } from '../../ui/save-file.ts'
import { canRecompute, type Recomputed, recomputeChain } from './recompute-chain.ts'

const pageSize = 500
/** More than this a browser should not hold at once. */
const most = 200_000

/**
 * Saves the whole audit of the deployment, oldest first, with the signed checkpoints it was verified against, as a file, and
 * recomputes it here on the way. Resolves with what that found; null where this browser can't.
 *
 * @param chain the deployment's id
 */
export async function exportAudit(visit: LiveVisit, name: string, chain: string): Promise<Recomputed | null> {
  const api = customerApi(visit)
  const params = { project: visit.project, deployment: visit.deployment }
  const entries: AuditEntry[] = []
  let after: string | null = ''
  while (after !== null && entries.length < most) {
    const page: { items: AuditEntry[]; next: string | null } = await api.listDeploymentAudit({
      params,
      query: { limit: pageSize, ...(after && { after }) },
    })
    entries.push(...page.items)
    after = page.next
  }
  const verification = await api.verifyAudit({ params })
  entries.reverse()
  const complete = after === null
  const recomputed = complete && canRecompute() ? await recomputeChain(chain, entries, verification.checkpoints) : null
  const at = new Date().toISOString()
  saveFile(
    `audit-${name}-${at.slice(0, 10)}.json`,
    JSON.stringify(
      {
        schema: 'landfall.dev/audit-export/v1',
        project: visit.project,
        deployment: name,
        exportedAt: at,
        complete,
        verification,
        recomputed,
        entries,
      },
      null,
      2,
    ),
  )
  return recomputed
}
