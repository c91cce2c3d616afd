import { exportAnswer, type Signal } from '@landfall/telemetry'
import { appendAudit } from '../../audit/append-audit.ts'
import type { BodyBytes } from '../../http/body-bytes.ts'
import type { Handlers } from '../../http/handler.ts'
import type { Principal } from '../../http/principal.ts'
import { forbidden } from '../../http/refusals.ts'
import type { Services } from '../../http/services.ts'
import { findProject } from '../../store/accounts/projects.ts'
import { findDeployment } from '../../store/deployments/find-deployment.ts'
import { readDrops } from '../../telemetry/drops.ts'
import { queryLogs } from '../../telemetry/query-logs.ts'
import { listMeters, queryMeter } from '../../telemetry/query-meter.ts'
import { queryMetrics } from '../../telemetry/query-metrics.ts'
import { queryTraces } from '../../telemetry/query-traces.ts'
import { readTrace } from '../../telemetry/read-trace.ts'
import { readSettings, writeSettings } from '../../telemetry/settings.ts'

const hourMs = 3_600_000

export const telemetryHandlers = {
  otlpLogs: (request, services) => take('logs', request, services),
  otlpMetrics: (request, services) => take('metrics', request, services),
  otlpTraces: (request, services) => take('traces', request, services),

  getLogs: async ({ params, query }, { db }) => {
    const deployment = await findDeployment(db, params.project, params.deployment)
    return queryLogs(db, { ...query, deployment: deployment.id })
  },

  getMetrics: async ({ params, query }, { db, clock }) => {
    const deployment = await findDeployment(db, params.project, params.deployment)
    const until = query.until === undefined ? clock.now() : Date.parse(query.until)
    const since = query.since === undefined ? until - hourMs : Date.parse(query.since)
    const window = { deployment: deployment.id, worker: query.worker, since, until }
    const { metric } = query
    const found = metric === undefined ? await queryMetrics(db, window) : await queryMeter(db, { ...window, metric })
    return {
      series: found.series,
      through: found.through === null ? null : new Date(found.through).toISOString(),
      metrics: await listMeters(db, deployment.id),
      dropped: await readDrops(db, deployment.id, 'metrics'),
      ...('more' in found && found.more > 0 ? { more: found.more } : {}),
    }
  },

  listTraces: async ({ params, query }, { db, clock }) => {
    const deployment = await findDeployment(db, params.project, params.deployment)
    const until = query.until === undefined ? clock.now() : Date.parse(query.until)
    const since = query.since === undefined ? until - hourMs : Date.parse(query.since)
    const errors = query.errors === 'true'
    const items = await queryTraces(db, { ...query, errors, deployment: deployment.id, since, until })
    return { items, dropped: await readDrops(db, deployment.id, 'traces') }
  },

  getTrace: async ({ params }, { db }) => {
    const deployment = await findDeployment(db, params.project, params.deployment)
    const trace = await readTrace(db, deployment.id, params.trace)
    const logs = await queryLogs(db, { deployment: deployment.id, trace: params.trace, limit: 200 })
    return { ...trace, logs: logs.items }
  },

  getTelemetrySettings: async ({ params }, { db, keyring }) => {
    await findProject(db, params.project)
    return readSettings(db, keyring, params.project)
  },

  putTelemetrySettings: async ({ params, body, actor }, { db, keyring, clock }) => {
    const { project } = params
    await findProject(db, project)
    await db.transaction().execute(async (trx) => {
      await writeSettings(trx, keyring, project, body)
      const message = `Telemetry is kept for ${body.retentionDays} days and sent on to ${body.forward.length} endpoints`
      await appendAudit(trx, [
        { project, deployment: null, type: 'telemetry.settings-changed', actor, message, at: clock.now() },
      ])
    })
    return readSettings(db, keyring, project)
  },
} satisfies Partial<Handlers>

async function take(
  signal: Signal,
  request: { body: BodyBytes; headers: Headers; principal: Principal | null },
  { control }: Services,
): Promise<Response> {
  const { principal, headers } = request
  if (principal?.kind !== 'agent' || principal.deployment === null) throw forbidden('the token of a deployment')
  const taken = await control.telemetry.take({
    signal,
    body: await request.body.all(),
    contentType: headers.get('content-type') ?? undefined,
    contentEncoding: headers.get('content-encoding') ?? undefined,
    project: principal.project,
    deployment: principal.deployment,
  })
  return exportAnswer(taken)
}
