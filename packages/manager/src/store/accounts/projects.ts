import { sql } from 'kysely'
import { notFound } from '../../http/refusals.ts'
import type { Database, Trx } from '../database.ts'

/** Projects with the number of their deployments; `names` null: all of them. */
export function listProjects(db: Database | Trx, names: readonly string[] | null) {
  let query = db
    .selectFrom('projects')
    .select(['name', 'created_at', 'root_key_id', 'keyset_version'])
    .select(
      sql<number>`(select count(*) from deployments d where d.project = projects.name and d.deleted_at is null)`.as(
        'deployments',
      ),
    )
    .orderBy('name')
  if (names) query = query.where('name', 'in', names.length > 0 ? names : [''])
  return query.execute()
}

/** @throws LandfallError `E_NOT_FOUND` */
export async function findProject(db: Database | Trx, name: string) {
  const row = await db.selectFrom('projects').selectAll().where('name', '=', name).executeTakeFirst()
  if (!row) throw notFound(`project ${name}`)
  return row
}

/** The project's row, locked until the transaction ends: publishing and keysets go one at a time. */
export async function lockProject(trx: Trx, name: string) {
  const row = await trx.selectFrom('projects').selectAll().where('name', '=', name).forUpdate().executeTakeFirst()
  if (!row) throw notFound(`project ${name}`)
  return row
}
