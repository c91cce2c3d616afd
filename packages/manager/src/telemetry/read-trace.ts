import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import { round } from './query-traces.ts'
import { inTreeOrder } from './span-tree.ts'

const maxSpans = 2_000
const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const
const statuses = ['unset', 'ok', 'error'] as const

/**
 * A trace with its spans in the order of their tree: a span, then what it called, by when it began. One whose parent was not
 * recorded (not sampled, of another system, too old) is a root. `cut`: it has more spans than are given.
 * @throws LandfallError `E_NOT_FOUND`
 */
export async function readTrace(db: Database, deployment: string, trace: string) {
  const found = await db
    .selectFrom('spans')
    .selectAll()
    .select(sql<number>`extract(epoch from at) * 1000`.as('ms'))
    .where('deployment', '=', deployment)
    .where('trace', '=', trace)
    .orderBy('at')
    .orderBy('span')
    .limit(maxSpans + 1)
    .execute()
  const rows = found.slice(0, maxSpans).map((row) => ({ ...row, ms: Number(row.ms) }))
  const [first] = rows
  if (!first) throw unknown()
  const ordered = inTreeOrder(rows)
  const set = (values: readonly (string | null)[]) => [...new Set(values.filter((value) => value !== null))].sort()
  return {
    trace,
    at: first.at.toISOString(),
    durationMs: round(Math.max(...rows.map((row) => row.ms + row.duration_ms)) - first.ms),
    name: ordered[0]?.item.name ?? '',
    spans: rows.length,
    errors: rows.filter((row) => row.status === 2).length,
    workers: set(rows.map((row) => row.worker)),
    versions: set(rows.map((row) => row.version)),
    cut: found.length > maxSpans,
    items: ordered.map(({ item, depth }) => ({
      span: item.span,
      parent: item.parent,
      depth,
      at: item.at.toISOString(),
      offsetMs: round(item.ms - first.ms),
      durationMs: item.duration_ms,
      name: item.name,
      kind: kinds[item.kind] ?? 'unspecified',
      status: statuses[item.status] ?? 'unset',
      message: item.message,
      worker: item.worker,
      version: item.version,
      attributes: item.attributes,
      events: item.events.map((event) => ({ ...event, at: new Date(event.at).toISOString() })),
    })),
  }
}

function unknown(): LandfallError {
  return new LandfallError({
    code: 'E_NOT_FOUND',
    message: 'No span of this trace is kept.',
    hint: 'Traces are kept as long as telemetry of the project is, and only where the customer lets them leave.',
  })
}
