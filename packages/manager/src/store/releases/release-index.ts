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
  /** Newest first. */
  inChannel(channel: string): readonly IndexedRelease[]
}

export async function releaseIndex(db: Database | Trx, project: string): Promise<ReleaseIndex> {
  const rows = await db
    .selectFrom('releases')
    .select(['digest', 'version', 'channel', 'sequence'])
    .where('project', '=', project)
    .orderBy('sequence', 'desc')
    .execute()
  const byDigest = new Map(rows.map((row) => [row.digest, row]))
  const byChannel = Map.groupBy(rows, (row) => row.channel)
  return {
    get: (digest) => (digest ? byDigest.get(digest) : undefined),
    inChannel: (channel) => byChannel.get(channel) ?? [],
  }
}
