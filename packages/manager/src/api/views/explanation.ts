import type { explanation as explanationSchema } from '@landfall/contract'
import { explain } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import type { Database } from '../../store/database.ts'
import { desiredOfRow } from '../../store/deployments/desired-of-row.ts'
import type { DeploymentRow } from '../../store/deployments/find-deployment.ts'
import { newestRelease } from '../../store/releases/newest-release.ts'
import { prepareTarget } from '../../store/targets/prepare-targets.ts'
import type { DeploymentView } from './deployment-rows.ts'

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
  const engine = explain(row.state, desiredOfRow(row), now)
  const checks: Check[] = [
    releaseCheck(newest?.version ?? null, row.channel),
    pinCheck(view, newest?.version ?? null),
    ...(newest ? [await configCheck(db, row, newest.digest, now)] : []),
    await freezeCheck(db, row.project, now),
    await rolloutCheck(db, row, newest?.digest ?? null, view),
    runnerCheck(row, view, now),
    ...engineChecks(engine, view),
  ]
  const stuck = checks.find((check) => check.status === 'blocked') ?? checks.find((check) => check.status === 'waiting')
  const current = newest !== undefined && view.actual?.release === newest.digest && engine.onTarget
  return {
    sentence: current
      ? `${row.name} runs ${newest.version}, the newest release of ${row.channel}.`
      : whole(stuck, engine),
    actual: view.actual?.version ?? null,
    newest: newest?.version ?? null,
    checks,
    next: nextOf(stuck),
  }
}

function whole(stuck: Check | undefined, engine: { sentence: string }): string {
  return stuck && !['ENGINE', 'NOT_SEEN'].includes(stuck.code) && stuck.name !== 'environment'
    ? stuck.message
    : engine.sentence
}

function releaseCheck(newest: string | null, channel: string): Check {
  return newest
    ? check('release', 'ok', 'RELEASE', `The newest release of ${channel} is ${newest}.`)
    : check('release', 'waiting', 'NO_RELEASE', `The channel ${channel} has no release yet.`)
}

function pinCheck(view: DeploymentView, newest: string | null): Check {
  if (view.pinned === null) return check('pin', 'ok', 'NOT_PINNED', 'It is not pinned.')
  if (view.pinned === newest) return check('pin', 'ok', 'PINNED', `It is pinned to ${view.pinned}, the newest.`)
  return check('pin', 'blocked', 'PINNED', `It is pinned to ${view.pinned}: newer releases do not reach it.`)
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

async function freezeCheck(db: Database, project: string, now: number): Promise<Check> {
  const freeze = await db
    .selectFrom('freezes')
    .select(['reason', 'until', 'created_at'])
    .where('project', '=', project)
    .where('lifted_at', 'is', null)
    .where((eb) => eb.or([eb('until', 'is', null), eb('until', '>', new Date(now))]))
    .orderBy('created_at')
    .executeTakeFirst()
  if (!freeze) return check('freeze', 'ok', 'NO_FREEZE', 'No freeze is in force.')
  const end = freeze.until ? `until ${freeze.until.toISOString()}` : 'until somebody lifts it'
  return check(
    'freeze',
    'waiting',
    'FROZEN',
    `New starts are held ${end}: ${freeze.reason}`,
    freeze.created_at.getTime(),
  )
}

async function rolloutCheck(
  db: Database,
  row: DeploymentRow,
  newest: string | null,
  view: DeploymentView,
): Promise<Check> {
  if (newest === null) return check('rollout', 'unknown', 'NO_RELEASE', 'There is nothing to roll out.')
  const told = row.target_release === newest
  if (told && view.actual?.release === newest) return check('rollout', 'ok', 'REACHED', 'The rollout has reached it.')
  const rollout = await db
    .selectFrom('rollouts')
    .select(['id', 'phase', 'state', 'created_at'])
    .where('project', '=', row.project)
    .where('release', '=', newest)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!rollout) return check('rollout', 'waiting', 'NOT_ROLLED_OUT', 'Nobody has rolled the newest release out yet.')
  const { state } = rollout
  const member = state?.members[row.id]
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
  if (member?.reason) return check('rollout', 'waiting', member.reason.code, member.reason.message, since)
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
    const leased = row.lease_until !== null && row.lease_until.getTime() > now
    return leased
      ? check('runner', 'ok', 'RUNNING', 'A runner works on it now.')
      : check('runner', 'waiting', 'NOT_SEEN', 'No runner has picked its newest wishes up yet.')
  }
  const seen = view.lastSeenAt === null ? '' : ` It was last seen ${view.lastSeenAt}.`
  return check('runner', 'ok', 'SEEN', `Its runner has seen what is asked of it.${seen}`)
}

function engineChecks(engine: ReturnType<typeof explain>, view: DeploymentView): Check[] {
  if (engine.onTarget && engine.waitsFor.length === 0) {
    return [check('environment', 'ok', 'ON_TARGET', engine.sentence, engine.since)]
  }
  const status = ['failed', 'needs-setup', 'access-revoked'].includes(view.phase) ? 'blocked' : 'waiting'
  return engine.waitsFor.map(({ code, message, since }) => check('environment', status, code, message, since))
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

const advice: Readonly<Record<string, string>> = {
  NO_RELEASE: 'Release: `landfall release`.',
  PINNED: 'Unpin it: `landfall deployments pin NAME --none`.',
  FROZEN: 'Wait, or lift the freeze.',
  NOT_ROLLED_OUT: 'Roll it out: `landfall rollouts start VERSION`.',
  ROLLOUT_ABORTED: 'Read why, then release a fix; or `landfall rollouts retry`.',
  ROLLOUT_PAUSED: 'Resume it: `landfall rollouts resume`.',
  E_SECRET_MISSING: 'Set the secrets: they are named above.',
  E_INPUT_INVALID: 'Set the inputs: they are named above.',
  NOT_SEEN: 'Nothing: a runner looks within seconds. If not, check that a manager runs (`landfall doctor`).',
}

function nextOf(stuck: Check | undefined): string {
  if (!stuck) return 'Nothing: it is where it should be.'
  if (advice[stuck.code]) return advice[stuck.code] ?? ''
  return stuck.status === 'blocked'
    ? 'A person has to act: see the first check that is blocked.'
    : 'Nothing: it goes on by itself.'
}
