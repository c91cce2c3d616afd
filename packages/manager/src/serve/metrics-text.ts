import { sql } from 'kysely'
import { durationBounds } from '../http/request-metrics.ts'
import type { Services } from '../http/services.ts'

/** The manager's own metrics in Prometheus' text format (exposition format 0.0.4). Names of customers are not in it. */
export async function metricsText({ db, requests, clock, control, agents }: Services): Promise<string> {
  const now = new Date(clock.now())
  const { rows } = await sql<Record<string, number>>`select
    (select count(*) from deployments where deleted_at is null) as deployments,
    (select count(*) from deployments where deleted_at is null and requested_generation > observed_generation) as behind,
    (select count(*) from deployments where deleted_at is null and lease_until > ${now}) as leased,
    (select count(*) from deployments where deleted_at is null and wake_at <= ${now}) as due,
    (select coalesce(extract(epoch from ${now}::timestamptz - min(wake_at)), 0)::float8 from deployments
      where deleted_at is null and wake_at <= ${now} and (lease_until is null or lease_until <= ${now})) as overdue,
    (select count(*) from rollouts where finished_at is null) as rollouts,
    (select count(*) from commands where status = 'queued') as queued,
    (select count(*) from releases) as releases`.execute(db)
  const phases = await db
    .selectFrom('deployments')
    .select('phase')
    .select(sql<number>`count(*)`.as('count'))
    .where('deleted_at', 'is', null)
    .groupBy('phase')
    .execute()
  const row = rows[0] ?? {}
  const lines: string[] = []
  const gauge = (name: string, help: string, values: readonly [string, number][]) => {
    lines.push(`# HELP landfall_${name} ${help}`, `# TYPE landfall_${name} gauge`)
    for (const [labels, value] of values) lines.push(`landfall_${name}${labels} ${value}`)
  }
  const single = (name: string, help: string, value: number | undefined) =>
    gauge(name, help, [['', Number(value ?? 0)]])
  single('deployments', 'Deployments that exist.', row.deployments)
  gauge(
    'deployments_by_phase',
    'Deployments by phase.',
    phases.map(({ phase, count }) => [`{phase="${phase}"}`, count]),
  )
  single('deployments_behind', 'Deployments whose wishes no runner has acted on yet.', row.behind)
  single('deployments_due', 'Deployments whose time to be looked at has come.', row.due)
  single('deployments_leased', 'Deployments that a runner works on now.', row.leased)
  single('queue_age_seconds', 'How long the deployment that is due the longest has waited for a runner.', row.overdue)
  single('rollouts_open', 'Fleet rollouts that are not finished.', row.rollouts)
  single('commands_queued', 'Commands that wait for a runner.', row.queued)
  single('releases', 'Releases that exist.', row.releases)
  single('agents_connected', 'Agents that have synced with this manager lately.', agents.hub.counts.connected)
  single('agents_waiting', 'Syncs that are held until there is something new.', agents.hub.counts.waiting)
  single('http_requests_in_flight', 'Calls being answered.', requests.inFlight)
  single('resident_memory_bytes', 'Memory of the process.', process.memoryUsage.rss())
  lines.push(
    '# HELP landfall_http_request_duration_seconds Time to answer a call.',
    '# TYPE landfall_http_request_duration_seconds histogram',
  )
  for (const { operation, status, counts, sum } of requests.series()) {
    const labels = `operation="${operation}",status="${status}"`
    const name = 'landfall_http_request_duration_seconds'
    let total = 0
    for (const [index, count] of counts.entries()) {
      total += count
      lines.push(`${name}_bucket{${labels},le="${durationBounds[index] ?? '+Inf'}"} ${total}`)
    }
    lines.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${total}`)
  }
  return `${lines.join('\n')}\n${control.metricsText()}`
}
