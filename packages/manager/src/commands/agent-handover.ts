import type { CommandOrder } from '@landfall/contract'
import { type RawBuilder, sql } from 'kysely'
import type { CommandHandover, WaitingCommands } from '../agents/command-handover.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { acceptUpdate } from './accept-update.ts'
import { inputContext } from './contexts.ts'

/** Until the agent has told that it has the command: the answer may be lost on its way. */
export const firstLeaseMs = 30_000

/**
 * Commands of the deployments that agents run: leased to the agent's session, renewed by each report that tells of them, given again, as
 * the next attempt, when no report has told of them for as long as a lease lasts.
 */
export function createCommandHandover(keyring: Keyring, clock: { now(): number }): CommandHandover {
  return {
    waiting: (db, deployments) => waiting(db, deployments, clock.now()),
    takeCommands: (db, of) => takeCommands(db, keyring, of),
    async acceptUpdates(trx, { deployment, updates, at }) {
      for (const update of updates) await acceptUpdate(trx, keyring, { deployment, update, at })
    },
  }
}

/** Whether the customer lets anything run there: by the portal, or by what the agent says was set there, which wins. */
const granted = (deployment: RawBuilder<unknown>) =>
  sql<boolean>`exists (select from deployments d left join agents a on a.deployment = d.id
    where d.id = ${deployment} and
      case when a.local @> '["access"]' then a.customer ->> 'access' else d.customer ->> 'access' end <> 'revoked')`

async function waiting(
  db: Database,
  deployments: readonly string[],
  at: number,
): Promise<ReadonlyMap<string, WaitingCommands>> {
  const now = new Date(at)
  const { rows } = await sql<{ deployment: string; queued: number; cancel: string[] }>`
    select deployment,
      count(*) filter (where cancel_requested_at is null and deadline > ${now}
        and (lease_until is null or lease_until <= ${now})
        and ${granted(sql.ref('commands.deployment'))})::int as queued,
      coalesce(array_agg(id) filter (where cancel_requested_at is not null and lease_owner is not null), '{}') as cancel
    from commands
    where status in ('queued', 'running') and via = 'direct' and deployment = any(${[...deployments]})
    group by deployment`.execute(db)
  return new Map(rows.map(({ deployment, queued, cancel }) => [deployment, { queued, cancel }]))
}

async function takeCommands(
  db: Database,
  keyring: Keyring,
  of: { deployment: string; room: number; session: number; at: number },
): Promise<readonly CommandOrder[]> {
  if (of.room <= 0) return []
  const now = new Date(of.at)
  const rows = await db
    .with('due', (cte) =>
      cte
        .selectFrom('commands')
        .select(['deployment', 'id'])
        .where('deployment', '=', of.deployment)
        .where('status', 'in', ['queued', 'running'])
        .where('via', '=', 'direct')
        .where('deadline', '>', now)
        .where('cancel_requested_at', 'is', null)
        .where(sql<boolean>`(lease_until is null or lease_until <= ${now})`)
        .where(granted(sql.val(of.deployment)))
        .orderBy('created_at')
        .orderBy('id')
        .limit(of.room)
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('commands')
    .from('due')
    .set({
      status: 'running',
      attempt: sql`attempt + 1`,
      started_at: sql`coalesce(started_at, ${now})`,
      lease_owner: `agent:${of.session}`,
      lease_epoch: sql`lease_epoch + 1`,
      lease_until: new Date(of.at + firstLeaseMs),
    })
    .whereRef('commands.deployment', '=', 'due.deployment')
    .whereRef('commands.id', '=', 'due.id')
    .returning([
      'commands.id',
      'commands.worker',
      'commands.version',
      'commands.command',
      'commands.input',
      'commands.attempt',
      'commands.deadline',
      'commands.created_at',
    ])
    .execute()
  return rows
    .toSorted((a, b) => a.created_at.getTime() - b.created_at.getTime() || (a.id < b.id ? -1 : 1))
    .map(({ id, worker, version, command, input, attempt, deadline }) => ({
      ...{ id, worker, version, command, attempt, deadline: deadline.getTime() },
      input: JSON.parse(keyring.open(input, inputContext(of.deployment, id)).toString('utf8')) as unknown,
    }))
}
