import { sql } from 'kysely'
import type { Database } from '../../packages/manager/src/store/database.ts'

/**
 * Copies a deployment that runs, with its config, a secret of its own and history, as deployments that agents run and that were
 * seen just now: no runner takes them, the fleet counts them.
 */
export async function cloneDeployment(db: Database, from: string, copies: number): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns
    where table_name = 'deployments' and is_generated = 'NEVER' and table_schema = 'public'`.execute(db)
  const changed: Readonly<Record<string, string>> = {
    id: `'copy-' || n`,
    name: `'copy-' || n`,
    prefix: `'copy-' || n`,
    model: `'pull'`,
    last_seen_at: 'now()',
    lease_until: 'null',
    wake_at: 'null',
  }
  const columns = rows.map(({ name }) => name)
  const values = columns.map((name) => changed[name] ?? `d.${JSON.stringify(name)}`)
  const made = `generate_series(1, ${Math.trunc(copies)}) n`
  const quoted = columns.map((name) => JSON.stringify(name)).join(', ')
  await sql
    .raw(
      `insert into deployments (${quoted}) select ${values.join(', ')} from deployments d, ${made} where d.id = '${from}'`,
    )
    .execute(db)
  await sql`update deployments set last_seen_at = now(), observed_generation = requested_generation`.execute(db)
  for (const table of ['configs', 'secrets', 'targets', 'controls']) {
    await sql
      .raw(`insert into ${table} select (jsonb_populate_record(t, jsonb_build_object('deployment', 'copy-' || n))).*
      from ${table} t, ${made} where t.deployment = '${from}'`)
      .execute(db)
  }
  // A value of its own each: every deployment gets a config that is stored nowhere yet.
  await sql`update secrets set hash = md5(deployment)`.execute(db)
  await sql`analyze`.execute(db)
}
