import { explain, windowsAt } from '@landfall/engine'
import type { AgentStatus } from '../agent.ts'
import { enrolmentOf } from '../identity/setup.ts'
import type { AgentParts } from '../parts.ts'
import { telemetryOf } from '../report/reporter.ts'
import { exportsOf } from '../site/export-records.ts'
import { setupAsked } from './setup-asked.ts'
import { waitsOf } from './waits.ts'

/** What a person at the site sees, from the sealed state and without asking anybody. */
export async function agentStatus(parts: AgentParts, sync: AgentStatus['sync']): Promise<AgentStatus> {
  const { setup, store, settings, orders, sources, problems, spool, state, clock } = parts
  const { id, name, project, platform, model } = setup.deployment
  const look = store.look(id)
  const now = clock.now()
  const customer = settings.inForce()
  const { sequence, at } = exportsOf(state)
  return {
    version: parts.version,
    deployment: { id, name: look?.desired.deployment.name ?? name, project, platform, model },
    key: parts.identity.fingerprint,
    sync,
    enrolled: enrolmentOf(state)?.enrolledAt != null,
    order: orders.current(),
    observed: look?.observed ?? 0,
    state: look?.state ?? null,
    explanation: look ? explain(look.state, look.desired, now) : null,
    customer,
    local: Object.keys(settings.local()).sort(),
    windows: windowsAt(customer.windows, now),
    waits: await waitsOf(look, sources.releases, setupAsked(look, settings)),
    commands: parts.commands.updates(),
    problems: problems.list(),
    telemetry: telemetryOf(spool),
    bundles: (await sources.bundles.imports()).map(({ bundle, importedAt, releases }) => ({
      bundle,
      importedAt,
      releases: releases.map(({ version }) => version),
    })),
    exported: { sequence, at },
  }
}
