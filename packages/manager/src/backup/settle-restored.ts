import { Kysely, PostgresDialect, sql } from 'kysely'
import type { Client } from 'pg'
import { appendAudit } from '../audit/append-audit.ts'
import type { Schema, Trx } from '../store/database.ts'

/**
 * Tells a database that was just restored apart from the history that followed its backup and is lost. Whoever lived through that
 * history (agents, runners, customers with a checkpoint) may hold numbers that were given after the backup; given again they would mean
 * two things at once. So the numbers go on above all of them: seconds since 1970 at the restore, which rise from restore to restore and
 * are passed by nothing that counts orders, sessions or leases one by one.
 *
 * - generations: an agent takes an order only if its number is higher than what it has;
 * - sessions: a token of the lost history is over, and an agent may name the session it began there (`judgeSession`);
 * - lease epochs: a runner that still holds one persists nothing;
 * - workers: none counts as at rest before it was looked at, so that what is served is put right at once, not at the next slow look;
 * - audit: every chain says where it was put back, so that a checkpoint from the lost history is explained, not contradicted.
 */
export async function settleRestored(
  client: Client,
  of: { backup: string; takenAt: string; now: number },
): Promise<void> {
  const floor = Math.floor(of.now / 1_000)
  await client.query(
    `update deployments set lease_owner = null, lease_until = null, lease_epoch = greatest(lease_epoch + 1, $1::bigint),
       requested_generation = greatest(requested_generation + 1, $1::bigint) where deleted_at is null`,
    [floor],
  )
  await client.query(
    `update deployments set state = jsonb_set(state, '{workers}',
       (select jsonb_object_agg(key, value || '{"rest": null}') from jsonb_each(state -> 'workers')))
     where deleted_at is null and jsonb_typeof(state -> 'workers') = 'object' and state -> 'workers' <> '{}'`,
  )
  await client.query(
    `update rollouts set lease_owner = null, lease_until = null, lease_epoch = greatest(lease_epoch + 1, $1::bigint),
       requested_generation = greatest(requested_generation + 1, $1::bigint) where finished_at is null`,
    [floor],
  )
  await client.query(
    `update commands set lease_owner = null, lease_until = null, lease_epoch = greatest(lease_epoch + 1, $1::bigint)
     where status in ('queued', 'running')`,
    [floor],
  )
  await client.query('update agents set session = greatest(session + 1, $1::bigint), restored = true', [floor])
  await tellChains(client, of)
}

interface Head {
  chain: string
  number: number
  hash: string
  deployment: string | null
  project: string | null
}

const chainsAtOnce = 1_000

async function tellChains(client: Client, of: { backup: string; takenAt: string; now: number }): Promise<void> {
  const db = within(client)
  for (let after = ''; ; ) {
    const { rows } = await sql<Head>`
      select h.chain, h.number, h.hash, d.id as deployment,
        coalesce(d.project, case when h.chain like 'project:%' then substr(h.chain, 9) end) as project
      from audit_heads h left join deployments d on d.id = h.chain
      where h.chain > ${after} order by h.chain limit ${chainsAtOnce}`.execute(db)
    await appendAudit(
      db,
      rows.map(({ number, hash, deployment, project }) => ({
        project,
        deployment,
        type: 'database.restored',
        actor: 'restore',
        message: `The database was restored from the backup of ${of.takenAt}. What was recorded after entry ${number} is not in this record any more.`,
        data: { backup: of.backup, takenAt: of.takenAt, number, hash },
        at: of.now,
      })),
    )
    const last = rows.at(-1)
    if (!last || rows.length < chainsAtOnce) return
    after = last.chain
  }
}

/** The transaction that the client is in, for what is written by Kysely. */
function within(client: Client): Trx {
  const connection = { query: client.query.bind(client), release: () => {} }
  const pool = { connect: async () => connection, end: async () => {} }
  const dialect = new PostgresDialect({ pool: pool as never })
  return new Kysely<Schema>({ dialect }) as unknown as Trx
}
