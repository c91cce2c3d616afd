import type { DeploymentRef } from '@landfall/engine'
import { sql } from 'kysely'
import type { Scope } from '../control/store/claim.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { inputContext } from './contexts.ts'

/** A command that this manager runs now. */
export interface ClaimedCommand {
  deployment: DeploymentRef
  id: string
  worker: string
  version: string | null
  command: string
  input: unknown
  attempt: number
  /** Milliseconds since the epoch. */
  deadline: number
  epoch: number
  cancelRequested: boolean
}

/**
 * Takes the oldest command that is due and that nobody holds: a new one, one whose runner died, one whose next attempt has come.
 * Each claim is a new attempt and a new epoch.
 */
export async function claimCommand(
  db: Database,
  keyring: Keyring,
  scope: Scope,
  request: { owner: string; ttlMs: number; now: number },
): Promise<ClaimedCommand | null> {
  const now = new Date(request.now)
  const row = await db
    .with('due', (cte) =>
      cte
        .selectFrom('commands')
        .innerJoin('deployments', 'deployments.id', 'commands.deployment')
        .select(['commands.deployment', 'commands.id'])
        .where('commands.status', 'in', ['queued', 'running'])
        .where('commands.deadline', '>', now)
        .where(sql<boolean>`(commands.lease_until is null or commands.lease_until <= ${now})`)
        .where('deployments.model', 'in', [...scope.models])
        .where('deployments.platform', 'in', [...scope.platforms])
        .where('deployments.deleted_at', 'is', null)
        .orderBy('commands.created_at')
        .limit(1)
        .forUpdate('commands')
        .skipLocked(),
    )
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
    cancelRequested: row.cancel_requested_at !== null,
  }
}
