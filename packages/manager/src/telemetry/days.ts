import { sql } from 'kysely'
import type { Database } from '../store/database.ts'

const dayMs = 86_400_000
/** Nothing older than this is taken, whatever a project's retention says. */
const maxDays = 90

const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10)

/** The days that telemetry is kept for: a table per UTC day, made ahead and dropped whole. */
export class Days {
  readonly #db: Database
  readonly #open = new Set<string>()

  constructor(db: Database) {
    this.#db = db
  }

  /** Whether a row of that instant (milliseconds) is still taken. */
  takes(at: number, now: number, retentionDays: number): boolean {
    return at >= now - Math.min(maxDays, retentionDays) * dayMs && at <= now + dayMs
  }

  /** Makes the tables of these instants where they are missing. */
  async open(instants: Iterable<number>): Promise<void> {
    for (const day of new Set([...instants].map(dayOf))) {
      if (this.#open.has(day)) continue
      await sql`select open_telemetry_day(${day}::date)`.execute(this.#db)
      this.#open.add(day)
    }
  }

  /**
   * Makes today's and the next two days' tables, drops those that no project keeps, and deletes within the others what a project
   * keeps for a shorter time. Answers how many tables were dropped.
   */
  async maintain(now: number): Promise<number> {
    await this.open([now, now + dayMs, now + 2 * dayMs])
    const { rows } = await sql<{ days: number | null }>`
      select max(coalesce(s.retention_days, 7)) as days
      from projects p left join telemetry_settings s on s.project = p.name`.execute(this.#db)
    const longest = rows[0]?.days ?? 7
    const before = dayOf(now - longest * dayMs)
    const dropped = await sql<{ n: number }>`select drop_telemetry_before(${before}::date) as n`.execute(this.#db)
    for (const day of this.#open) if (day < before) this.#open.delete(day)
    await this.#deleteShorter(now, longest)
    // A metric that nobody reports any more makes room for another name.
    const unseen = new Date(now - longest * dayMs)
    await this.#db.deleteFrom('metric_names').where('last_at', '<', unseen).execute()
    return dropped.rows[0]?.n ?? 0
  }

  async #deleteShorter(now: number, longest: number): Promise<void> {
    for (const table of ['logs', 'metric_points', 'spans']) {
      await sql`
        delete from ${sql.table(table)} t
        using deployments d join projects p on p.name = d.project left join telemetry_settings s on s.project = p.name
        where t.deployment = d.id and coalesce(s.retention_days, 7) < ${longest}
          and t.at < ${new Date(now)}::timestamptz - coalesce(s.retention_days, 7) * interval '1 day'`.execute(this.#db)
    }
  }
}
