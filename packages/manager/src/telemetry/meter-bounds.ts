import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import type { Drops } from './drops.ts'
import type { MeterPoint } from './rows/meter-rows.ts'

/** Metrics of its own meters that a deployment may have, and streams of them that one manager takes in an hour. */
export const maxNames = 100
export const maxSeries = 1_000
const windowMs = 3_600_000
const maxKept = 10_000

interface Kept {
  since: number
  names: Set<string>
  series: Set<string>
}

/**
 * Holds the metrics of workers' own meters within bounds: a vendor's code that puts a customer's number into a metric's name or its
 * attributes must not fill the store. Names are remembered in the database, streams by each manager for an hour.
 */
export class MeterBounds {
  readonly #db: Database
  readonly #drops: Drops
  readonly #kept = new Map<string, Kept>()

  constructor(db: Database, drops: Drops) {
    this.#db = db
    this.#drops = drops
  }

  /** Those of the points that may be stored; the others are counted. */
  async admit(deployment: string, points: readonly MeterPoint[], now: number): Promise<MeterPoint[]> {
    if (points.length === 0) return []
    const kept = await this.#known(deployment, points, now)
    const named = points.filter((point) => kept.names.has(point.metric))
    this.#drops.add(deployment, 'metrics', 'names', points.length - named.length)
    const fit = named.filter(({ series, metric }) => {
      const key = `${metric} ${series}`
      if (!kept.series.has(key) && kept.series.size >= maxSeries) return false
      kept.series.add(key)
      return true
    })
    this.#drops.add(deployment, 'metrics', 'series', named.length - fit.length)
    return fit
  }

  async #known(deployment: string, points: readonly MeterPoint[], now: number): Promise<Kept> {
    let kept = this.#kept.get(deployment)
    if (!kept || kept.since + windowMs <= now) {
      if (this.#kept.size >= maxKept) this.#kept.clear()
      kept = { since: now, names: new Set(), series: new Set() }
      this.#kept.set(deployment, kept)
    }
    const { names } = kept
    // Full: nothing new can be among them, and asking each time would be what the bound is to prevent.
    if (names.size >= maxNames || points.every((point) => names.has(point.metric))) return kept
    for (const name of await registerNames(this.#db, deployment, points, now)) names.add(name)
    return kept
  }
}

/** Remembers metrics while there is room; answers which the deployment has. */
async function registerNames(
  db: Database,
  deployment: string,
  points: readonly MeterPoint[],
  now: number,
): Promise<string[]> {
  const metrics = [...new Map(points.map((point) => [point.metric, point])).values()]
  return db.transaction().execute(async (trx) => {
    // Two managers must not both take the last place.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`metric names ${deployment}`}, 0))`.execute(trx)
    const rows = await trx.selectFrom('metric_names').select('metric').where('deployment', '=', deployment).execute()
    const known = new Set(rows.map((row) => row.metric))
    const fresh = metrics.filter((point) => !known.has(point.metric)).slice(0, Math.max(0, maxNames - known.size))
    const seen = [...metrics.filter((point) => known.has(point.metric)), ...fresh]
    if (seen.length > 0) {
      await trx
        .insertInto('metric_names')
        .values(seen.map(({ metric, unit, kind }) => ({ deployment, metric, unit, kind, last_at: new Date(now) })))
        .onConflict((conflict) =>
          conflict.columns(['deployment', 'metric']).doUpdateSet((excluded) => ({
            last_at: excluded.ref('excluded.last_at'),
            unit: excluded.ref('excluded.unit'),
            kind: excluded.ref('excluded.kind'),
          })),
        )
        .execute()
    }
    return [...known, ...fresh.map((point) => point.metric)]
  })
}
