import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import { jsonText } from './insert-logs.ts'
import type { SpanRow } from './rows/span-rows.ts'

/** Writes spans of many deployments in one statement; one that is there already is left. The days must be open. */
export async function insertSpans(db: Database, rows: readonly (SpanRow & { deployment: string })[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into spans (deployment, at, trace, span, parent, worker, version, name, kind, duration_ms, status, message,
      attributes, events)
    select deployment, timestamptz 'epoch' + at * interval '1 microsecond', trace, span, parent, worker, version, name, kind,
      duration_ms, status, message, attributes::jsonb, events::jsonb
    from unnest(
      ${rows.map((row) => row.deployment)}::text[], ${rows.map((row) => row.at)}::bigint[],
      ${rows.map((row) => row.trace)}::text[], ${rows.map((row) => row.span)}::text[],
      ${rows.map((row) => row.parent)}::text[], ${rows.map((row) => row.worker)}::text[],
      ${rows.map((row) => row.version)}::text[], ${rows.map((row) => row.name)}::text[],
      ${rows.map((row) => row.kind)}::smallint[], ${rows.map((row) => row.durationMs)}::double precision[],
      ${rows.map((row) => row.status)}::smallint[], ${rows.map((row) => row.message)}::text[],
      ${rows.map((row) => jsonText(row.attributes))}::text[], ${rows.map((row) => jsonText(row.events))}::text[]
    ) as t(deployment, at, trace, span, parent, worker, version, name, kind, duration_ms, status, message, attributes, events)
    on conflict do nothing`.execute(db)
}
