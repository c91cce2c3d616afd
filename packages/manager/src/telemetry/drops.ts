import type { Signal } from '@landfall/telemetry'
import { sql } from 'kysely'
import type { Database } from '../store/database.ts'

/**
 * Why a record was not stored though it may be: `names` one metric too many, `series` too many streams, `rate` too many spans in
 * one minute, `unread` a kind of point or span that the store doesn't hold.
 */
export const dropReasons = ['names', 'series', 'rate', 'unread'] as const
export type DropReason = (typeof dropReasons)[number]

interface Count {
  deployment: string
  signal: Signal
  reason: DropReason
  records: number
}

/** Counts what is beyond a bound, so that it can be shown to whoever misses it. Written in batches by `flush`. */
export class Drops {
  /** For `/metrics`; these only rise. */
  readonly totals: Record<DropReason, number> = { names: 0, series: 0, rate: 0, unread: 0 }
  #counts = new Map<string, Count>()

  add(deployment: string, signal: Signal, reason: DropReason, records: number): void {
    if (records === 0) return
    this.totals[reason] += records
    const key = `${deployment} ${signal} ${reason}`
    const before = this.#counts.get(key)?.records ?? 0
    this.#counts.set(key, { deployment, signal, reason, records: before + records })
  }

  /** Adds what was counted since the last time to the table; what could not be written is written the next time. */
  async flush(db: Database, now: number): Promise<void> {
    const counts = [...this.#counts.values()]
    if (counts.length === 0) return
    this.#counts = new Map()
    try {
      await sql`
        insert into telemetry_drops (deployment, signal, reason, records, last_at)
        select t.deployment, t.signal, t.reason, t.records, ${new Date(now)}
        from unnest(${counts.map((each) => each.deployment)}::text[], ${counts.map((each) => each.signal)}::text[],
          ${counts.map((each) => each.reason)}::text[], ${counts.map((each) => each.records)}::bigint[])
          as t(deployment, signal, reason, records)
        join deployments d on d.id = t.deployment
        on conflict (deployment, signal, reason) do update
        set records = telemetry_drops.records + excluded.records, last_at = excluded.last_at`.execute(db)
    } catch (error) {
      for (const { deployment, signal, reason, records } of counts) {
        this.add(deployment, signal, reason, records)
        this.totals[reason] -= records
      }
      throw error
    }
  }
}

/** What was dropped of a deployment's telemetry, in total. */
export async function readDrops(db: Database, deployment: string, signal: Signal) {
  const rows = await db
    .selectFrom('telemetry_drops')
    .select(['reason', 'records', 'last_at'])
    .where('deployment', '=', deployment)
    .where('signal', '=', signal)
    .orderBy('reason')
    .execute()
  return rows.map((row) => ({ reason: row.reason, records: row.records, lastAt: row.last_at.toISOString() }))
}
