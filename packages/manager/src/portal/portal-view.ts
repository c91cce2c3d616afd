import type { Portal } from '@landfall/contract'
import { type DeploymentState, windowsAt } from '@landfall/engine'
import { viewOf } from '../api/handlers/deployments.ts'
import type { Database } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { findRelease } from '../store/releases/find-release.ts'
import { releaseIndex } from '../store/releases/release-index.ts'
import { storedAnswerView } from './answer-view.ts'
import { customerInForce } from './customer-in-force.ts'
import { leaveWords } from './leave.ts'
import { permissionsOf } from './permissions.ts'
import { requestsOf } from './requests.ts'
import { sentenceOf } from './sentence.ts'

const answersShown = 20

/** The whole of the customer's page. `now` in milliseconds; `expiresAt`: when the visitor's link ends. */
export async function portalView(
  db: Database,
  row: DeploymentRow,
  now: number,
  expiresAt: string | null,
): Promise<Portal> {
  const [view, releases, force] = await Promise.all([
    viewOf(db, row.project, row.id),
    releaseIndex(db, row.project),
    customerInForce(db, row),
  ])
  const requests = await requestsOf(db, row, force)
  const answers = await db
    .selectFrom('answers')
    .selectAll()
    .where('deployment', '=', row.id)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(answersShown)
    .execute()
  const shown = row.setup_release ?? row.target?.release ?? null
  const permissions = shown ? permissionsOf((await findRelease(db, row.project, shown)).statement.manifest) : []
  const windows = windowsAt(force.settings.windows, now)
  const running = view.actual && { version: view.actual.version, since: sinceOf(row.state), health: view.health }
  const arriving = arrivingOf(row.state, (release) => releases.get(release)?.version ?? 'unknown')
  const { id, name, model, platform, phase, reason, lastSeenAt } = view
  return {
    vendor: { project: row.project, name: row.project, logo: null },
    deployment: { id, name, model, platform, phase, reason, lastSeenAt },
    sentence: sentenceOf({
      running: view.actual?.version ?? null,
      wanted: view.target && view.target.digest !== view.actual?.digest ? view.target.version : null,
      arriving: arriving?.version ?? null,
      phase,
      reason,
      revoked: force.settings.access === 'revoked',
      leaving: row.operation === 'destroy',
      requests,
    }),
    running,
    arriving,
    requests,
    answers: answers.map(storedAnswerView),
    settings: force.settings,
    local: force.local,
    windows: { open: windows.open, changesAt: windows.changesAt === null ? null : iso(windows.changesAt) },
    permissions,
    leave: leaveWords(row),
    expiresAt,
  }
}

/** When the last of the workers took over what runs now; null where no rollout tells. */
function sinceOf(state: DeploymentState | null): string | null {
  const ended = Object.values(state?.workers ?? {}).flatMap(({ stable, rollout }) =>
    rollout && rollout.candidate === stable
      ? rollout.decisions.filter(({ code }) => code === 'complete').map(({ at }) => at)
      : [],
  )
  return ended.length > 0 ? iso(Math.max(...ended)) : null
}

/** What is on its way, with the share that every worker which changes has reached. */
function arrivingOf(state: DeploymentState | null, versionOf: (release: string) => string): Portal['arriving'] {
  if (!state?.candidate) return null
  const shares = Object.values(state.workers).flatMap(({ candidate, served }) =>
    candidate === null ? [] : [served[candidate] ?? 0],
  )
  return { version: versionOf(state.candidate.release), share: shares.length > 0 ? Math.min(...shares) : null }
}

const iso = (ms: number) => new Date(ms).toISOString()
