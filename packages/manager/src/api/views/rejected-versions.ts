import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'
import type { DeploymentRow } from '../../store/deployments/find-deployment.ts'

/** The version of each target that went back, by its digest: the engine remembers the digest alone, the history of targets the release. */
export async function rejectedVersions(db: Database, row: DeploymentRow): Promise<Map<string, string>> {
  const digests = (row.state?.rejected ?? []).map(({ target }) => target)
  if (digests.length === 0) return new Map()
  const rows = await db
    .selectFrom('targets')
    .innerJoin('releases', (join) =>
      join.onRef('releases.digest', '=', sql`targets.target ->> 'release'`).on('releases.project', '=', row.project),
    )
    .select([sql<string>`targets.target ->> 'digest'`.as('digest'), 'releases.version'])
    .where('targets.deployment', '=', row.id)
    .where(sql<string>`targets.target ->> 'digest'`, 'in', digests)
    .execute()
  return new Map(rows.map(({ digest, version }) => [digest, version]))
}
