import type { ClientBase } from 'pg'

export interface Table {
  name: string
  /** In the order in which COPY writes them. Left out: what the database makes itself (generated columns, transaction numbers). */
  columns: string[]
  /** Sequences to set after its rows are in, by column. */
  sequences: string[]
}

/**
 * Never in a backup. `changes` only wakes pages up, and its transaction numbers mean nothing in another server; browser sessions and
 * sign-ins on their way are begun again by whoever had one; boxes are made again from the secrets, and an agent that is ended later must not
 * find its own in an old backup.
 */
export const leftOut = ['changes', 'sessions', 'oidc_logins', 'sealed_boxes', 'schema_migrations']
/** Bounded windows of what workers sent: large, and worth leaving out where they are not needed. */
export const telemetryTables = ['logs', 'metric_points', 'spans']

/** The tables of the database and their columns, each after those that it refers to. Partitions are their parent's. */
export async function readTables(client: ClientBase): Promise<Table[]> {
  const { rows } = await client.query<{ name: string; columns: string[]; sequences: string[]; needs: string[] }>(`
    select c.relname as name,
      coalesce((select json_agg(a.attname order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
          and a.atttypid <> 'xid8'::regtype), '[]') as columns,
      coalesce((select json_agg(a.attname order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and pg_get_serial_sequence(quote_ident(c.relname), a.attname) is not null), '[]') as sequences,
      coalesce((select json_agg(distinct r.relname) from pg_constraint k join pg_class r on r.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid), '[]') as needs
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    order by c.relname`)
  const left = new Map(rows.filter(({ name }) => !leftOut.includes(name)).map((row) => [row.name, row]))
  const ordered: Table[] = []
  while (left.size > 0) {
    const ready = [...left.values()].filter(({ needs }) => !needs.some((name) => left.has(name)))
    if (ready.length === 0) throw new Error(`tables refer to each other in a circle: ${[...left.keys()].join(', ')}`)
    for (const { name, columns, sequences } of ready) {
      ordered.push({ name, columns, sequences })
      left.delete(name)
    }
  }
  return ordered
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const columnList = (table: Pick<Table, 'columns'>): string => table.columns.map(quoted).join(', ')
