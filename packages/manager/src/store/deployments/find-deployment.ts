import { notFound } from '../../http/refusals.ts'
import type { Database, Trx } from '../database.ts'

/**
 * A deployment of a project by id or name, deleted ones left out.
 *
 * @throws LandfallError `E_NOT_FOUND`
 */
export async function findDeployment(db: Database | Trx, project: string, idOrName: string) {
  const row = await byIdOrName(db, project, idOrName).executeTakeFirst()
  if (!row) throw notFound(`deployment ${idOrName}`)
  return row
}

/** The same, locked until the transaction ends: targets are told one at a time. */
export async function lockDeployment(trx: Trx, project: string, idOrName: string) {
  const row = await byIdOrName(trx, project, idOrName).forUpdate().executeTakeFirst()
  if (!row) throw notFound(`deployment ${idOrName}`)
  return row
}

/** What is looked up as an id, and can therefore not be a name. */
export function looksLikeId(text: string): boolean {
  return /^dep_[0-9a-z]{20}$/.test(text)
}

function byIdOrName(db: Database | Trx, project: string, idOrName: string) {
  return db
    .selectFrom('deployments')
    .selectAll()
    .where('project', '=', project)
    .where(looksLikeId(idOrName) ? 'id' : 'name', '=', idOrName)
    .where('deleted_at', 'is', null)
}

export type DeploymentRow = Awaited<ReturnType<typeof findDeployment>>
