import type { Phase } from '@landfall/rollout'
import { sql } from 'kysely'
import type { Database, Trx } from '../database.ts'

export interface IndexedRelease {
  digest: string
  version: string
  channel: string
  sequence: number
}

/** Versions and order of all releases of a project: small rows, read once for a whole list. */
export interface ReleaseIndex {
  get(digest: string | null | undefined): IndexedRelease | undefined
  /**
   * Releases of a channel that its deployments are allowed or on their way to, newest first: those that are or were rolled
   * out. One whose rollout was aborted is not among them, and one that nobody has rolled out neither.
   */
  allowedIn(channel: string): readonly IndexedRelease[]
}

export async function releaseIndex(db: Database | Trx, project: string): Promise<ReleaseIndex> {
  const rows = await db
    .selectFrom('releases')
    .select(['digest', 'version', 'channel', 'sequence'])
    .select(
      sql<Phase | null>`(select r.phase from rollouts r where r.project = releases.project and r.release = releases.digest
        order by r.created_at desc limit 1)`.as('phase'),
    )
    .where('project', '=', project)
    .orderBy('sequence', 'desc')
    .execute()
  const byDigest = new Map(rows.map((row) => [row.digest, row]))
  const allowed = rows.filter(({ phase }) => phase !== null && phase !== 'aborting' && phase !== 'aborted')
  const byChannel = Map.groupBy(allowed, (row) => row.channel)
  return {
    get: (digest) => (digest ? byDigest.get(digest) : undefined),
    allowedIn: (channel) => byChannel.get(channel) ?? [],
  }
}
