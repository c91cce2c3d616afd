import { notFound } from '../../http/refusals.ts'
import type { Database, Trx } from '../database.ts'

/**
 * A release of a project by digest or version.
 *
 * @throws LandfallError `E_NOT_FOUND`
 */
export async function findRelease(db: Database | Trx, project: string, digestOrVersion: string) {
  const row = await db
    .selectFrom('releases')
    .selectAll()
    .where('project', '=', project)
    .where(digestOrVersion.startsWith('sha256:') ? 'digest' : 'version', '=', digestOrVersion)
    .executeTakeFirst()
  if (!row) throw notFound(`release ${digestOrVersion}`)
  return row
}

export type ReleaseRow = Awaited<ReturnType<typeof findRelease>>
