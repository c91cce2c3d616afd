import type { agentView as schema } from '@landfall/contract'
import { fingerprintOf } from '@landfall/release'
import type { Selectable } from 'kysely'
import type { z } from 'zod'
import { siteNews } from '../exports/site-news.ts'
import type { Database } from '../store/database.ts'
import type { AgentsTable } from '../store/tables/agents.ts'

type AgentView = z.output<typeof schema>

/** What is known of the agent of a deployment; all of it empty where there is none. */
export async function agentView(
  db: Database,
  deployment: { id: string; last_seen_at: Date | null },
): Promise<AgentView> {
  const row = await db.selectFrom('agents').selectAll().where('deployment', '=', deployment.id).executeTakeFirst()
  const info = row?.info ?? null
  const bundle = (await siteNews(db, [deployment.id])).get(deployment.id)?.bundle ?? null
  return {
    enrolled: (row?.sign_key ?? null) !== null,
    key: row?.sign_key ? fingerprintOf(row.sign_key) : null,
    enrolledAt: row?.enrolled_at?.toISOString() ?? null,
    session: row?.session ?? 0,
    lastReportAt: row?.last_report_at?.toISOString() ?? null,
    lastSeenAt: deployment.last_seen_at?.toISOString() ?? null,
    via: row?.via ?? null,
    version: info?.version ?? null,
    platform: info?.platform ?? null,
    clockOffsetMs: info?.clockOffsetMs ?? null,
    local: row?.local ?? [],
    problems: row ? problemsOf(row) : [],
    telemetry: info?.telemetry ?? null,
    ...(bundle ? { bundle: { ...bundle, at: iso(bundle.at) } } : {}),
  }
}

/** What the manager found out first, then what the agent says of itself. */
function problemsOf({ trouble, info }: Selectable<AgentsTable>): AgentView['problems'] {
  const found = Object.entries(trouble).map(([code, { message, since }]) => ({ code, message, since }))
  return [...found, ...(info?.problems ?? [])].map((one) => ({ ...one, since: iso(one.since) }))
}

/** An agent's clock may say anything; what `Date` can't hold is its end. */
function iso(at: number): string {
  return new Date(Math.min(Math.max(at, 0), 8.64e15)).toISOString()
}
