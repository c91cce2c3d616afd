import type { HeldCommand } from '@landfall/engine'
import { sql } from 'kysely'
import type { Scope } from '../control/store/claim.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { inputContext } from './contexts.ts'

/** Looked at of each deployment: more than one, because another manager may be taking the first at this moment. */
const ahead = 8

/**
 * Takes a command that is due and that nobody holds: a new one, one whose runner died, one whose next attempt has come. Each claim is a
 * new attempt and a new epoch. Deployments take turns: the one with the fewest running goes first, and none has more than
 * `perDeployment` of this owner's places, so that a long queue of one holds up no other. Where the customer revoked access, they wait.
 */
export async function claimCommand(
  db: Database,
  keyring: Keyring,
  scope: Scope,
  request: { owner: string; ttlMs: number; now: number; perDeployment?: number },
): Promise<HeldCommand | null> {
  const now = new Date(request.now)
  const open = sql`('queued', 'running')`
  const due = sql`commands.status in ${open} and commands.via = 'direct' and commands.deadline > ${now}
    and (commands.lease_until is null or commands.lease_until <= ${now})`
  const picked = sql<{ deployment: string; id: string }>`
    (with recursive busy as (
      (select deployment from commands where status in ${open} order by deployment limit 1)
      union all
      select (
        select commands.deployment from commands
        where commands.status in ${open} and commands.deployment > busy.deployment
        order by commands.deployment limit 1
      ) from busy where busy.deployment is not null
    ), candidates as (
      select first.deployment, first.id, held.running
      from busy
      join deployments on deployments.id = busy.deployment and deployments.deleted_at is null
        and deployments.customer ->> 'access' <> 'revoked'
        and deployments.model = any(${[...scope.models]}) and deployments.platform = any(${[...scope.platforms]})
      cross join lateral (
        select count(*) as running, count(*) filter (where commands.lease_owner = ${request.owner}) as mine
        from commands
        where commands.deployment = busy.deployment and commands.status = 'running'
          and commands.lease_owner is not null and commands.lease_until > ${now}
      ) held
      cross join lateral (
        select commands.deployment, commands.id from commands
        where commands.deployment = busy.deployment and ${due}
        order by commands.created_at, commands.id limit ${ahead}
      ) first
      where held.mine < ${request.perDeployment ?? 1_000_000}::int
    )
    select commands.deployment, commands.id
    from candidates join commands on commands.deployment = candidates.deployment and commands.id = candidates.id
    where ${due}
    order by candidates.running, commands.created_at, commands.id
    limit 1
    for update of commands skip locked)`
  const row = await db
    .with('due', () => picked)
    .updateTable('commands')
    .from('due')
    .innerJoin('deployments', 'deployments.id', 'due.deployment')
    .set({
      status: 'running',
      attempt: sql`attempt + 1`,
      started_at: sql`coalesce(started_at, ${now})`,
      lease_owner: request.owner,
      lease_epoch: sql`commands.lease_epoch + 1`,
      lease_until: new Date(request.now + request.ttlMs),
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
      'commands.lease_epoch',
      'commands.cancel_requested_at',
      'deployments.id as deployment',
      'deployments.name',
      'deployments.project',
      'deployments.prefix',
      'deployments.platform',
      'deployments.model',
      'deployments.environment',
    ])
    .executeTakeFirst()
  if (!row) return null
  const { id, worker, version, command, attempt } = row
  return {
    deployment: {
      id: row.deployment,
      name: row.name,
      project: row.project,
      prefix: row.prefix,
      platform: row.platform,
      model: row.model,
      environment: row.environment,
    },
    id,
    worker,
    version,
    command,
    attempt,
    input: JSON.parse(keyring.open(row.input, inputContext(row.deployment, id)).toString('utf8')) as unknown,
    deadline: row.deadline.getTime(),
    epoch: row.lease_epoch,
    until: request.now + request.ttlMs,
    cancelRequested: row.cancel_requested_at !== null,
  }
}
