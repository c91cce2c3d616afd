import type { Pool } from 'pg'

/** What was written so far, or per update. `rows` by table: inserted, updated and deleted. */
export interface RowCounts {
  rows: Record<string, number>
  walBytes: number
}

/** PostgreSQL's counters as they are now. */
export async function readRows(pool: Pool): Promise<RowCounts> {
  const { rows } = await pool.query<{ name: string; count: string }>(
    'select relname as name, n_tup_ins + n_tup_upd + n_tup_del as count from pg_stat_user_tables',
  )
  const wal = await pool.query<{ bytes: string }>("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as bytes")
  return {
    rows: Object.fromEntries(rows.map(({ name, count }) => [name, Number(count)])),
    walBytes: Number(wal.rows[0]?.bytes ?? 0),
  }
}

/** The difference, for each of so many updates; tables where nothing was written are left out. */
export function written(before: RowCounts, after: RowCounts, updates: number): RowCounts {
  const each = (count: number) => Math.round((100 * count) / updates) / 100
  const rows = Object.entries(after.rows)
    .map(([name, count]) => [name, each(count - (before.rows[name] ?? 0))] as const)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1])
  return { rows: Object.fromEntries(rows), walBytes: each(after.walBytes - before.walBytes) }
}
