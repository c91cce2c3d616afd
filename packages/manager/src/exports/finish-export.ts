import type { VerifiedExport } from '@landfall/release'
import { sql } from 'kysely'
import { type AuditEntry, appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Database, Trx } from '../store/database.ts'
import type { ExportSender } from './find-agent.ts'
import { lockAgent, standing } from './lock-agent.ts'
import type { AuditCheckpoint } from './read-documents.ts'

export const bundleReceipt = 'bundle.receipt'

/** Writes down that an export was taken: its number, its receipts and checkpoints, who brought it. Last, and once. */
export async function finishExport(
  db: Database,
  done: {
    project: string
    sender: ExportSender
    proved: VerifiedExport
    checkpoints: readonly AuditCheckpoint[]
    actor: string
    at: number
  },
): Promise<void> {
  const { project, sender, proved, checkpoints, actor, at } = done
  const { deployment, key } = sender
  const { sequence, createdAt } = proved.manifest
  await db.transaction().execute(async (trx) => {
    const agent = await lockAgent(trx, deployment, key.id)
    // A newer one was taken meanwhile, or this very one twice at once.
    if (standing(agent, proved) !== 'new') return
    await trx
      .updateTable('agents')
      .set({ export_key: key.id, export_number: sequence, export_id: proved.id })
      .where('deployment', '=', deployment)
      .execute()
    const known = await knownReceipts(trx, deployment, proved)
    const entry = { project, deployment, actor: `agent:${sender.name}`, at }
    const receipts = proved.receipts
      .filter((receipt) => !known.has(receipt.bundle))
      .map((receipt): AuditEntry => {
        const versions = receipt.releases.map((release) => release.version)
        const message = `The site imported a bundle with ${versions.join(', ') || 'no release'} at ${receipt.importedAt}`
        const { bundle, importedAt, refusedCommands } = receipt
        return {
          ...entry,
          type: bundleReceipt,
          message,
          data: { bundle, importedAt, releases: versions, refusedCommands },
        }
      })
    const marks = checkpoints.map(
      (checkpoint): AuditEntry => ({
        ...entry,
        type: 'agent.checkpoint',
        message: `The agent’s own record stood at entry ${checkpoint.number} at ${checkpoint.at}`,
        data: checkpoint,
      }),
    )
    const message = `Export ${sequence} of ${sender.name}, made ${createdAt}, was taken in`
    const taken = { ...entry, actor, type: 'export.imported', message, data: { sequence, export: proved.id } }
    await publishChanges(trx, [{ project, kind: 'deployment', id: deployment, at }])
    await appendAudit(trx, [...receipts, ...marks, taken])
  })
}

/** Until a bundle tells the site that they arrived, every export carries its receipts again. */
async function knownReceipts(trx: Trx, deployment: string, { receipts }: VerifiedExport): Promise<Set<string>> {
  if (receipts.length === 0) return new Set()
  const rows = await trx
    .selectFrom('audit_entries')
    .select(sql<string>`data ->> 'bundle'`.as('bundle'))
    .where('chain', '=', deployment)
    .where('type', '=', bundleReceipt)
    .where(
      sql<string>`data ->> 'bundle'`,
      'in',
      receipts.map((receipt) => receipt.bundle),
    )
    .execute()
  return new Set(rows.map((row) => row.bundle))
}
