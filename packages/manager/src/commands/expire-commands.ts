import { sql } from 'kysely'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Database } from '../store/database.ts'
import { commandEntry } from './finish-command.ts'

const atOnce = 200
/** A runner ends its own command at the deadline; this much later nobody can be about to. */
const graceMs = 10_000

/** Ends commands whose deadline passed with nobody to run them, or whose runner died at it. Answers how many. */
export async function expireCommands(db: Database, now: number): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .with('due', (cte) =>
        cte
          .selectFrom('commands')
          .select(['deployment', 'id'])
          .where('status', 'in', ['queued', 'running'])
          .where('deadline', '<=', new Date(now))
          .where(
            sql<boolean>`(lease_owner is null or lease_until <= ${new Date(now)} or deadline <= ${new Date(now - graceMs)})`,
          )
          .orderBy('deployment')
          .orderBy('id')
          .limit(atOnce)
          .forUpdate()
          .skipLocked(),
      )
      .updateTable('commands')
      .from('due')
      .set({
        status: 'expired',
        finished_at: new Date(now),
        lease_owner: null,
        lease_until: null,
        lease_epoch: sql`lease_epoch + 1`,
        error: JSON.stringify({ code: 'E_COMMAND_DEADLINE', message: 'It was not done by its deadline.' }),
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
      ])
      .execute()
    await publishChanges(
      trx,
      rows.map((row) => ({ project: row.project, kind: 'command' as const, id: row.id, at: now })),
    )
    const outcome = { status: 'expired', error: { code: 'E_COMMAND_DEADLINE' } } as const
    await appendAudit(
      trx,
      rows.map((row) => commandEntry(row.project, row, outcome, now)),
    )
    return rows.length
  })
}
