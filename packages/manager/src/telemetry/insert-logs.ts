import { severityNumber } from '@landfall/telemetry'
import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { LogRow } from './rows/log-rows.ts'

/** Writes log lines of many deployments in one statement; a line that is there already is left. The days must be open. */
export async function insertLogs(db: Database, rows: readonly (LogRow & { deployment: string })[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into logs (deployment, at, id, severity, worker, version, body, attributes, trace)
    select deployment, timestamptz 'epoch' + at * interval '1 microsecond', id, severity, worker, version, body,
      attributes::jsonb, trace
    from unnest(
      ${rows.map((row) => row.deployment)}::text[], ${rows.map((row) => row.at)}::bigint[],
      ${rows.map((row) => row.id)}::text[], ${rows.map((row) => severityNumber(row.severity))}::smallint[],
      ${rows.map((row) => row.worker)}::text[], ${rows.map((row) => row.version)}::text[],
      ${rows.map((row) => row.body)}::text[], ${rows.map((row) => jsonText(row.attributes))}::text[],
      ${rows.map((row) => row.trace)}::text[]
    ) as t(deployment, at, id, severity, worker, version, body, attributes, trace)
    on conflict do nothing`.execute(db)
}

/** JSON that jsonb takes: it refuses NUL characters and lone surrogates. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'string' ? member.replaceAll('\0', '').toWellFormed() : member,
  )
}
