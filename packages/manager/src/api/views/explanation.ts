import type { explanation as explanationSchema } from '@landfall/contract'
import { explain } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import { agentCheck } from '../../agents/agent-check.ts'
import { hasAgent } from '../../agents/set-up.ts'
import type { Database } from '../../store/database.ts'
import { desiredOfRow } from '../../store/deployments/desired-of-row.ts'
import type { DeploymentRow } from '../../store/deployments/find-deployment.ts'
import { newestRelease } from '../../store/releases/newest-release.ts'
import { prepareTarget } from '../../store/targets/prepare-targets.ts'
import type { DeploymentView } from './deployment-rows.ts'
import { nextStep, type Situation } from './next-step.ts'
import { siteCheck } from './site-checks.ts'

type Explanation = z.output<typeof explanationSchema>
type Check = Explanation['checks'][number]

/**
 * Why a deployment is not on the newest release: the chain from the release to the environment, each link with where it
 * stands, the first that does not hold as the answer.
 */
export async function explanationOf(
  db: Database,
  row: DeploymentRow,
  view: DeploymentView,
  now: number,
): Promise<Explanation> {
  const newest = await newestRelease(db, row.project, row.channel)
  const agent = await agentCheck(db, row, now)
  // Where an agent reports what is in force, that counts: its own settings win over the portal's.
  const engine = explain(row.state, desiredOfRow(agent ? { ...row, customer: agent.customer } : row), now)
  const freeze = await readFreeze(db, row.project, now)
  const rollout = newest && (await readRollout(db, row, newest.digest))
  const told = newest !== undefined && row.target_release === newest.digest
  const site = await siteCheck(db, row, newest, now)
  const checks: Check[] = [
    releaseCheck(newest?.version ?? null, row.channel),
    pinCheck(view, newest?.version ?? null),
    ...(newest ? [await configCheck(db, row, newest.digest, now)] : []),
    freezeCheck(freeze, told, newest?.version ?? null),
    // Without an agent that speaks, whatever a rollout says of it is only what follows from that.
    ...(agent ? [agent.check] : []),
    ...roadChecks(row, view, { site, rollout, newest: newest?.digest ?? null, now }),
    ...(agent ? agent.problems : []),
    // Where an agent runs it, the road has said already that nobody has acted yet.
    ...engineChecks(engine, row, view).filter((one) => agent === null || one.code !== 'NOT_SEEN'),
  ]
  const current = told && view.actual?.release === newest.digest && engine.onTarget && view.phase === 'running'
  const stuck = current ? undefined : stuckAt(checks, view)
  const situation: Situation = {
    deployment: row.name,
    target: view.target?.version ?? null,
    newest: newest?.version ?? null,
    rollout: rollout?.id ?? null,
    freeze: freeze?.id ?? null,
    probeAt: row.state?.parked?.probeAt ?? null,
    approvesAt: (agent?.customer ?? row.customer).approvals,
    setupApplied: row.setup_release !== null && row.setup_release !== (row.state?.setup ?? null),
  }
  return {
    sentence: current
      ? `${row.name} runs ${newest.version}, the newest release of ${row.channel}.`
      : sentenceOf(stuck, engine, row, view),
    actual: view.actual?.version ?? null,
    newest: newest?.version ?? null,
    checks,
    next: nextOf(stuck, row, view, situation),
  }
}

/** How a release gets there: by a rollout and a runner, or, where nobody can be reached, by what people carry. */
function roadChecks(
  row: DeploymentRow,
  view: DeploymentView,
  road: { site: Check | null; rollout: Awaited<ReturnType<typeof readRollout>>; newest: string | null; now: number },
): Check[] {
  const byRollout = rolloutCheck(row, road.rollout, road.newest, view)
  if (road.site === null) return [byRollout, runnerCheck(row, view, road.now)]
  // An aborted rollout is a word against the release itself, whichever road it takes.
  return byRollout.code === 'ROLLOUT_ABORTED' ? [byRollout, road.site] : [road.site]
}

/** Phases in which the environment itself holds everything up, whatever else stands in the way too. */
const held = ['failed', 'needs-setup', 'access-revoked']

/** The link of the chain to tell first: an environment that lets nothing happen, what a person has to mend, what only waits. */
function stuckAt(checks: readonly Check[], view: DeploymentView): Check | undefined {
  const environment = held.includes(view.phase) ? checks.find((one) => one.name === 'environment') : undefined
  const seen = checks.every((one) => one.code !== 'NOT_SEEN')
  return (
    (seen ? environment : undefined) ??
    checks.find((one) => one.status === 'blocked') ??
    checks.find((one) => one.status === 'waiting')
  )
}

function sentenceOf(
  stuck: Check | undefined,
  engine: { sentence: string },
  row: DeploymentRow,
  view: DeploymentView,
): string {
  if (!stuck || stuck.name === 'environment' || stuck.code === 'NOT_SEEN') return engine.sentence
  // The check alone does not say of whom it speaks.
  const runs = view.actual ? `${row.name} runs ${view.actual.version}.` : `${row.name} runs nothing yet.`
  return `${runs} ${stuck.message}`
}

function releaseCheck(newest: string | null, channel: string): Check {
  return newest
    ? check('release', 'ok', 'RELEASE', `The newest release of ${channel} is ${newest}.`)
    : check('release', 'waiting', 'NO_RELEASE', `The channel ${channel} has no release yet.`)
}

function pinCheck(view: DeploymentView, newest: string | null): Check {
  if (view.pinned === null) return check('pin', 'ok', 'NOT_PINNED', 'It is not pinned.')
  if (view.pinned === newest) return check('pin', 'ok', 'PINNED', `It is pinned to ${view.pinned}, the newest.`)
  const message = `It is pinned to ${view.pinned}: the newest release of ${view.channel}, ${newest}, does not reach it.`
  return check('pin', 'blocked', 'PINNED', message)
}

async function configCheck(db: Database, row: DeploymentRow, release: string, now: number): Promise<Check> {
  try {
    await prepareTarget(db, { id: row.id, project: row.project }, release, now, 'manager')
    return check('config', 'ok', 'CONFIG', 'Every input and secret that the newest release needs is set.')
  } catch (error) {
    if (!LandfallError.is(error)) throw error
    return check('config', 'blocked', error.code, error.message)
  }
}

async function readFreeze(db: Database, project: string, now: number) {
  return db
    .selectFrom('freezes')
    .select(['id', 'reason', 'until', 'created_at'])
    .where('project', '=', project)
    .where('lifted_at', 'is', null)
    .where((eb) => eb.or([eb('until', 'is', null), eb('until', '>', new Date(now))]))
    .orderBy('created_at')
    .executeTakeFirst()
}

function freezeCheck(freeze: Awaited<ReturnType<typeof readFreeze>>, told: boolean, newest: string | null): Check {
  if (!freeze) return check('freeze', 'ok', 'NO_FREEZE', 'No freeze is in force.')
  const end = freeze.until ? `until ${freeze.until.toISOString()}` : 'until somebody lifts the freeze'
  const since = freeze.created_at.getTime()
  if (told) {
    const message = `New starts are held ${end} (${freeze.reason}), but this deployment was told before.`
    return check('freeze', 'ok', 'FROZEN', message, since)
  }
  const what = newest === null ? 'New starts are' : `${newest} is`
  return check('freeze', 'waiting', 'FROZEN', `${what} held ${end}: ${whole(freeze.reason)}`, since)
}

/** The newest rollout of a release, with the deployment as its member. */
async function readRollout(db: Database, { id, project }: DeploymentRow, release: string) {
  const rollout = await db
    .selectFrom('rollouts')
    .select(['id', 'phase', 'state', 'created_at'])
    .where('project', '=', project)
    .where('release', '=', release)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!rollout) return undefined
  const member = await db
    .selectFrom('rollout_members')
    .select(['wave', 'since', 'reason_code', 'reason_message'])
    .where('rollout', '=', rollout.id)
    .where('deployment', '=', id)
    .executeTakeFirst()
  return { ...rollout, member }
}

function rolloutCheck(
  row: DeploymentRow,
  rollout: Awaited<ReturnType<typeof readRollout>>,
  newest: string | null,
  view: DeploymentView,
): Check {
  if (newest === null) return check('rollout', 'unknown', 'NO_RELEASE', 'There is nothing to roll out.')
  const told = row.target_release === newest
  if (told && view.actual?.release === newest) return check('rollout', 'ok', 'REACHED', 'The rollout has reached it.')
  if (!rollout) return check('rollout', 'waiting', 'NOT_ROLLED_OUT', 'Nobody has rolled the newest release out yet.')
  const { state, member } = rollout
  const since = member?.since ?? state?.reason.since ?? rollout.created_at.getTime()
  if (['aborting', 'aborted'].includes(rollout.phase)) {
    const why = state?.reason.message ?? 'it was aborted'
    return check(
      'rollout',
      'blocked',
      'ROLLOUT_ABORTED',
      `The rollout of the newest release was aborted: ${why}`,
      since,
    )
  }
  if (told) return check('rollout', 'ok', 'TOLD', 'The rollout has told it to go.', since)
  if (member && member.reason_code !== null)
    return check('rollout', 'waiting', member.reason_code, member.reason_message ?? '', since)
  if (rollout.phase === 'paused') {
    const why = state?.reason.message ?? 'a person paused it'
    return check('rollout', 'waiting', 'ROLLOUT_PAUSED', `The rollout is paused: ${why}`, since)
  }
  const wave = member
    ? `its wave (${member.wave + 1}) is not due yet; the rollout is at wave ${(state?.wave ?? 0) + 1}`
    : 'it has not begun'
  return check('rollout', 'waiting', 'WAVE', `It waits for the rollout: ${wave}.`, since)
}

function runnerCheck(row: DeploymentRow, view: DeploymentView, now: number): Check {
  if (row.requested_generation > row.observed_generation) {
    if (hasAgent(row.model)) {
      return check('runner', 'waiting', 'AGENT_NOT_ACTED', 'Its agent has not acted on what is asked of it yet.')
    }
    const leased = row.lease_until !== null && row.lease_until.getTime() > now
    return leased
      ? check('runner', 'ok', 'RUNNING', 'A runner works on it now.')
      : check('runner', 'waiting', 'NOT_SEEN', 'No runner has picked its newest wishes up yet.')
  }
  const seen = view.lastSeenAt === null ? '' : ` It was last seen ${view.lastSeenAt}.`
  return check('runner', 'ok', 'SEEN', `Its runner has seen what is asked of it.${seen}`)
}

/** What goes on only once the customer says so. */
const byCustomer = ['WAITS_FOR_APPROVAL', 'UPDATE_REFUSED', 'UPDATES_PAUSED', 'REVOKED_BY_CUSTOMER', 'paused-gate']

function engineChecks(engine: ReturnType<typeof explain>, row: DeploymentRow, view: DeploymentView): Check[] {
  if (engine.onTarget && engine.waitsFor.length === 0) {
    return [check('environment', 'ok', 'ON_TARGET', engine.sentence, engine.since)]
  }
  const status = held.includes(view.phase) || rejected(row) ? 'blocked' : 'waiting'
  return engine.waitsFor.map(({ code, message, since }) =>
    check('environment', byCustomer.includes(code) ? 'blocked' : status, code, message, since),
  )
}

/** Whether what it was told went back: it is not tried again before a person or a new release says so. */
function rejected({ state, target }: DeploymentRow): boolean {
  return target !== null && (state?.rejected ?? []).some((one) => one.target === target.digest)
}

function check(
  name: string,
  status: Check['status'],
  code: string,
  message: string,
  since: number | null = null,
): Check {
  return { name, status, code, message, since: since === null ? null : new Date(since).toISOString() }
}

/** The end of a person's own words, which may lack the full stop. */
const whole = (text: string) => (/[.!?…]$/.test(text) ? text : `${text}.`)

function nextOf(stuck: Check | undefined, row: DeploymentRow, view: DeploymentView, situation: Situation): string {
  if (!stuck) return 'Nothing: it is where it should be.'
  const step = nextStep(kindOf(stuck, row, view), situation)
  if (step !== null) return step
  return stuck.status === 'blocked'
    ? `A person has to act: see what \`landfall deployments show ${row.name}\` names.`
    : 'Nothing: it goes on by itself.'
}

/** What the environment is held up by is told by the phase, because its code is that of the very trouble. */
function kindOf(stuck: Check, row: DeploymentRow, view: DeploymentView): string {
  if (stuck.name !== 'environment') return stuck.code
  if (view.phase === 'needs-setup') return 'NEEDS_SETUP'
  if (view.phase === 'access-revoked')
    return row.state?.parked?.probeAt === null ? 'REVOKED_BY_CUSTOMER' : 'ACCESS_REVOKED'
  if (rejected(row)) return 'REJECTED'
  if (view.phase === 'failed') return 'FAILED'
  const paused = Object.values(row.state?.workers ?? {}).some(({ rollout }) => rollout?.phase === 'paused')
  if (stuck.code === 'paused-gate') return 'WAITS_FOR_APPROVAL'
  return paused ? 'PAUSED' : stuck.code
}
