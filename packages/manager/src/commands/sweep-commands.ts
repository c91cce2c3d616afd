import { commandLimits, commandState } from '@landfall/engine'
import { sql } from 'kysely'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Database } from '../store/database.ts'
import { commandEntry } from './end-command.ts'

const atOnce = 200
/** Of a command that a site runs without network nobody here knows before its export has come. */
const carriedMs = 30 * 86_400_000

/** Ends commands that are past their deadline, or were to be cancelled, and that nobody is about to end. Answers how many. */
export async function sweepCommands(db: Database, now: number): Promise<number> {
  const at = new Date(now)
  const idle = sql`(lease_owner is null or lease_until is null or lease_until <= ${at})`
  const late = sql`deadline <= ${at} and (${idle} or deadline <= ${new Date(now - commandLimits.expiryGraceMs)})`
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .with('due', (cte) =>
        cte
          .selectFrom('commands')
          .select(['deployment', 'id'])
          .where('status', 'in', ['queued', 'running'])
          .where(sql<boolean>`(via = 'direct' or deadline <= ${new Date(now - carriedMs)})`)
          .where(sql<boolean>`((${late}) or (cancel_requested_at is not null and ${idle}))`)
          .orderBy('deployment')
          .orderBy('id')
          .limit(atOnce)
          .forUpdate()
          .skipLocked(),
      )
      .updateTable('commands')
      .from('due')
      .set({
        status: sql<
          'cancelled' | 'expired'
        >`case when cancel_requested_at is not null and ${idle} then 'cancelled' else 'expired' end`,
        finished_at: at,
        lease_owner: null,
        lease_until: null,
        lease_epoch: sql`lease_epoch + 1`,
        error: sql<string>`case when cancel_requested_at is not null and ${idle} then ${JSON.stringify(commandState.cancelledError)}::jsonb
          else ${JSON.stringify(commandState.deadlineError)}::jsonb end`,
      })
      .whereRef('commands.deployment', '=', 'due.deployment')
      .whereRef('commands.id', '=', 'due.id')
      .returning([
        'commands.project',
        'commands.deployment',
        'commands.id',
        'commands.worker',
        'commands.command',
        'commands.attempt',
        'commands.status',
      ])
      .execute()
    await publishChanges(
      trx,
      rows.map((row) => ({ project: row.project, kind: 'command' as const, id: row.id, at: now })),
    )
    await appendAudit(
      trx,
      rows.map((row) => {
        const status = row.status === 'cancelled' ? 'cancelled' : 'expired'
        const { code } = status === 'cancelled' ? commandState.cancelledError : commandState.deadlineError
        return commandEntry(row.project, row, { status, error: { code } }, now)
      }),
    )
    return rows.length
  })
}
