import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { ChangeKind } from './publish-changes.ts'

export interface FeedChange {
  project: string
  kind: ChangeKind
  id: string
  at: Date
}

/** The transactions that are visible now, as text: where a reader of the feed stands. */
export async function currentSnapshot(db: Database): Promise<string> {
  const { rows } = await sql<{ snapshot: string }>`select pg_current_snapshot()::text as snapshot`.execute(db)
  return rows[0]?.snapshot ?? ''
}

/**
 * The changes whose transactions were not visible in `since` and are now, and the snapshot that this answer is of. By
 * snapshot and not by number: numbers are taken early and may be committed late, behind a number that was read already.
 */
export async function readChanges(
  db: Database,
  since: string,
  project?: string,
): Promise<{ changes: FeedChange[]; snapshot: string }> {
  const of = project === undefined ? sql`true` : sql`project = ${project}`
  // One statement has one snapshot: what `pg_current_snapshot` says is what the rows are seen with.
  const { rows } = await sql<FeedChange & { snapshot: string }>`
    select c.project, c.kind, c.id, c.at, s.snapshot::text as snapshot
    from (select pg_current_snapshot() as snapshot) s
    left join lateral (
      select distinct on (project, kind, id) project, kind, id, at, number
      from changes
      where xid >= pg_snapshot_xmin(${since}::pg_snapshot)
        and not pg_visible_in_snapshot(xid, ${since}::pg_snapshot) and ${of}
      order by project, kind, id, number desc
    ) c on true
    order by c.number`.execute(db)
  return {
    changes: rows.filter((row) => row.project !== null).map(({ project, kind, id, at }) => ({ project, kind, id, at })),
    snapshot: rows[0]?.snapshot ?? since,
  }
}

/** Forgets what no reader resumes from any more. */
export async function dropOldChanges(db: Database, before: Date): Promise<void> {
  await db.deleteFrom('changes').where('at', '<', before).execute()
}
