import type { Target } from '@landfall/engine'
import { decideLook, type Look, returnOrders } from '../../packages/manager/src/control/fleet/decide-look.ts'
import type { FleetReading, FleetRow } from '../../packages/manager/src/control/fleet/read-fleet.ts'
import type { Order } from '../../packages/manager/src/control/fleet/tell-many.ts'
import { type Channel, channels } from './channels.ts'
import type { Database } from './database.ts'
import type { DeploymentRow, RolloutRow } from './rows.ts'

/** Places in the fleet's loop where a deliberate bug can be put in. */
export interface FleetSeams {
  reading?: (reading: FleetReading, rollout: RolloutRow) => FleetReading
  rollout?: (rollout: RolloutRow) => RolloutRow
  look?: (look: Look, rollout: RolloutRow, db: Database) => Look
  tellable?: (row: DeploymentRow) => boolean
  /** Whether a rollout's channel is the deployment's. */
  follows?: (row: DeploymentRow, rollout: RolloutRow) => boolean
  /** Told of every order that is about to be written. */
  onTell?: (row: DeploymentRow, order: Order, cause: 'rollout' | 'return', rollout: RolloutRow) => void
  onLook?: (rollout: RolloutRow, before: RolloutRow['state']) => void
}

const offlineAfterMs = 600_000

/** One look at the rollout that is due longest: the manager's own decision, between reads and writes of the simulated database. */
export function lookOnce(db: Database, now: number, seams: FleetSeams = {}): boolean {
  const due = [...db.rollouts.values()]
    .filter((row) => row.state.phase !== 'superseded')
    .filter((row) => row.requested > row.observed || (row.wakeAt !== null && row.wakeAt <= now))
    .sort((a, b) => since(a) - since(b) || (a.id < b.id ? -1 : 1))[0]
  if (!due) return false
  const rollout = seams.rollout?.(due) ?? due
  const read = readFleet(db, rollout, seams.follows ?? follows)
  const given = { ...rollout, phase: rollout.state.phase }
  const decided = decideLook(given, seams.reading?.(read, due) ?? read, { now, offlineAfterMs })
  const look = seams.look?.(decided, due, db) ?? decided
  const before = due.state
  due.state = JSON.parse(JSON.stringify(look.state)) as RolloutRow['state']
  due.finishedAt = look.over ? (due.finishedAt ?? now) : null
  due.observed = due.requested
  due.wakeAt = look.wakeAt
  const known = new Map<string, Target>()
  for (const { deployment, to } of look.back) {
    const row = db.deployments.get(deployment)
    const target = [...(row?.told ?? [])].reverse().find((told) => told.target.digest === to)?.target
    if (to !== null && target) known.set(`${deployment} ${to}`, target)
  }
  tell(db, due, 'rollout', look.assign, now, seams)
  tell(db, due, 'return', returnOrders(due, look.back, known), now, seams)
  seams.onLook?.(due, before)
  return true
}

const since = (row: RolloutRow) =>
  Math.min(row.wakeAt ?? Number.MAX_VALUE, row.requested > row.observed ? row.requestedAt : Number.MAX_VALUE)

function tell(
  db: Database,
  rollout: RolloutRow,
  cause: 'rollout' | 'return',
  orders: readonly Order[],
  now: number,
  seams: FleetSeams,
): void {
  for (const order of orders) {
    const row = db.deployments.get(order.deployment)
    const tellable = row && !row.deleted && row.pinned === null && row.operation === 'run'
    if (!row || !(seams.tellable?.(row) ?? tellable)) continue
    seams.onTell?.(row, order, cause, rollout)
    db.tell(row, order.target, rollout.id, 'fleet', order.message, now)
    if (order.retry) {
      row.controls.push({ id: `${rollout.id}:${row.requested}`, kind: 'retry', by: 'fleet', at: now })
    }
  }
}

const follows = (row: DeploymentRow, rollout: RolloutRow) => row.channel === rollout.channel

/** What `readFleet` reads, in SQL there. */
function readFleet(db: Database, rollout: RolloutRow, ofChannel: typeof follows): FleetReading {
  const all = [...db.deployments.values()].filter((row) => ofChannel(row, rollout))
  const rows = all.filter((row) => !row.deleted && row.operation === 'run')
  rows.sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    rows: rows.map((row) => fleetRow(db, rollout, row)),
    prepared: new Map(rows.map((row) => [row.id, { target: db.prepare(row, rollout.release) }])),
    news: new Map(
      rows
        .filter((row) => row.model === 'airgapped')
        .map((row) => [row.id, { version: null, reportedAt: null, bundle: null }]),
    ),
    freeze: db.freeze,
    controls: rollout.controls,
  }
}

function fleetRow(db: Database, self: RolloutRow, row: DeploymentRow): FleetRow {
  const last = row.rollout ? db.rollouts.get(row.rollout) : undefined
  const teller = last?.channel === row.channel ? last : undefined
  const newer =
    teller !== undefined &&
    (teller.createdAt > self.createdAt || (teller.createdAt === self.createdAt && teller.id > self.id))
  const theirs = row.target ? db.releases.get(row.target.release)?.sequence : undefined
  const ours = db.releases.get(self.release)?.sequence ?? 0
  return {
    id: row.id,
    name: row.id,
    group_name: row.group,
    model: row.model,
    pinned: row.pinned,
    phase: row.state?.phase ?? 'pending',
    setup_release: row.setupRelease,
    last_seen_at: row.lastSeenAt === null ? null : new Date(row.lastSeenAt),
    idle: row.target === null || (row.wakeAt === null && row.observed >= row.requested),
    requested_generation: row.requested,
    generation: row.state?.generation ?? null,
    told: row.target,
    resting: row.state?.stable?.digest ?? null,
    code: row.state?.reason.code ?? null,
    message: row.state?.reason.message ?? null,
    rejected: row.state?.rejected ?? [],
    ahead: theirs !== undefined && theirs > ours,
    taken_over: newer && !(self.state.phase === 'complete' && teller?.state.phase === 'aborted'),
    rested_before: row.state?.history?.[0]?.digest ?? null,
    rests_on_ours: row.state?.stable?.release === self.release,
    going_back: goingBack(row, self, teller),
  }
}

function goingBack(row: DeploymentRow, self: RolloutRow, teller: RolloutRow | undefined): FleetRow['going_back'] {
  const member = teller?.state.members[row.id]
  const taken = teller?.state.phase === 'aborting' || teller?.state.phase === 'aborted'
  if (!taken || teller === self || member?.status !== 'returning') return null
  return { to: member.from, unsure: member.unsure === true }
}

/** What `wakeLate` does. */
export function wakeLate(db: Database, now: number): boolean {
  return channels.map((channel) => wakeLateIn(db, channel, now)).includes(true)
}

function wakeLateIn(db: Database, channel: Channel, now: number): boolean {
  const all = [...db.rollouts.values()].filter((row) => row.channel === channel)
  if (all.some((row) => row.finishedAt === null)) return false
  const newest = all
    .filter((row) => row.state.phase === 'complete')
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))[0]
  if (!newest || newest.requested !== newest.observed) return false
  const sequence = (digest: string | undefined) => (digest ? (db.releases.get(digest)?.sequence ?? 0) : 0)
  const late = [...db.deployments.values()].some(
    (row) =>
      row.channel === channel &&
      !row.deleted &&
      row.operation === 'run' &&
      row.pinned === null &&
      (row.model === 'push' || (row.model === 'pull' && (row.lastSeenAt ?? 0) > now - offlineAfterMs)) &&
      row.setupRelease !== null &&
      row.target?.release !== newest.release &&
      sequence(row.target?.release) < sequence(newest.release),
  )
  if (late) db.nudge(newest.id, now)
  return late
}
