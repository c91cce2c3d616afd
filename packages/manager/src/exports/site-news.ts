import { sql } from 'kysely'
import type { Database, Trx } from '../store/database.ts'
import { bundleCreated } from './note-bundle.ts'

/** What the vendor's side knows of a site that it can't reach: what it reported last, and what was made for it since. */
export interface SiteNews {
  /** Version it rested on when it last reported; null: none, or it never reported. */
  version: string | null
  /** Milliseconds since the epoch, by the site's clock; null: no export of it was taken. */
  reportedAt: number | null
  /** The newest bundle whose order was made. `version` null: it brought no release. */
  bundle: { version: string | null; at: number; by: string } | null
}

/** News of deployments that get their releases by bundle, by id; others are left out. One query, whatever their number. */
export async function siteNews(db: Database | Trx, deployments: readonly string[]): Promise<Map<string, SiteNews>> {
  if (deployments.length === 0) return new Map()
  const { rows } = await sql<{
    id: string
    version: string | null
    reported_at: Date | null
    bundle_at: Date | null
    bundle_by: string | null
    bundle_version: string | null
  }>`
    select d.id, r.version, a.last_report_at as reported_at,
      b.at as bundle_at, b.actor as bundle_by, b.data ->> 'version' as bundle_version
    from deployments d
    left join releases r on r.project = d.project and r.digest = d.actual_release
    left join agents a on a.deployment = d.id
    left join lateral (
      -- What an agent reports lies in the same chain: it can't speak for the vendor.
      select at, actor, data from audit_entries
      where chain = d.id and type = ${bundleCreated} and actor not like 'agent:%' order by number desc limit 1
    ) b on true
    where d.id = any(${deployments}) and d.model = 'airgapped'`.execute(db)
  return new Map(
    rows.map((row) => [
      row.id,
      {
        version: row.version,
        reportedAt: row.reported_at?.getTime() ?? null,
        bundle:
          row.bundle_at === null
            ? null
            : { version: row.bundle_version, at: row.bundle_at.getTime(), by: row.bundle_by ?? 'unknown' },
      },
    ]),
  )
}

/**
 * The news as one clause, such as `1.3.0, reported 3 days ago by export; a bundle for 1.4.0 was made yesterday`.
 *
 * @param tell how an instant is told: relative where it is read at once, absolute where it is kept
 */
export function siteSentence({ version, reportedAt, bundle }: SiteNews, tell: (at: number) => string): string {
  const runs = version ?? 'nothing yet'
  const reported = reportedAt === null ? 'It has not reported yet' : `${runs}, reported ${tell(reportedAt)} by export`
  if (bundle === null) return `${reported}; no bundle was made for it`
  return `${reported}; a bundle ${bundle.version ? `for ${bundle.version}` : 'without a release'} was made ${tell(bundle.at)}`
}

/** `on 2026-11-18 14:05 UTC`, for what is kept and read later. */
export const absolute = (at: number) => `on ${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** `3 days ago`, `yesterday`, `just now`. */
export function agoFrom(now: number): (at: number) => string {
  return (at) => {
    for (const [unit, ms] of units) {
      const count = Math.floor((now - at) / ms)
      if (count < 1) continue
      if (unit === 'day' && count === 1) return 'yesterday'
      return `${count} ${unit}${count === 1 ? '' : 's'} ago`
    }
    return 'just now'
  }
}
