import type { VerifiedExport } from '@landfall/release'
import { notEnrolled } from '../agents/refusals.ts'
import type { Trx } from '../store/database.ts'

export interface LockedAgent {
  export_key: string | null
  export_number: number
  export_id: string | null
}

/**
 * The agent's row, held to the end of the transaction: two imports of one site are one after the other. Of a deployment that was taken
 * away, too: its last export says that it is gone, and may come twice.
 */
export async function lockAgent(trx: Trx, deployment: string, key: string): Promise<LockedAgent> {
  const row = await trx
    .selectFrom('agents')
    .innerJoin('deployments', 'deployments.id', 'agents.deployment')
    .select(['deployments.name', 'key_id', 'export_key', 'export_number', 'export_id'])
    .where('agents.deployment', '=', deployment)
    .forUpdate('agents')
    .executeTakeFirst()
  // It was replaced while the file was proved.
  if (row?.key_id !== key) throw notEnrolled(row?.name ?? deployment)
  const { export_key, export_number, export_id } = row
  // Another key is another agent: it counts its exports from one again.
  return export_key === key
    ? { export_key, export_number, export_id }
    : { export_key, export_number: 0, export_id: null }
}

/** `new`, or the very one that was taken last, or an older one. */
export function standing(agent: LockedAgent, { id, manifest }: VerifiedExport): 'new' | 'already' | 'older' {
  if (manifest.sequence > agent.export_number) return 'new'
  return manifest.sequence === agent.export_number && id === agent.export_id ? 'already' : 'older'
}
