import { seededRandom } from '@landfall/engine/testing'
import type { Database } from './database.ts'
import { kinds } from './releases.ts'
import type { DeploymentRow } from './rows.ts'
import { calmAt, type Entry } from './script.ts'

/** Everybody begins in the first. */
export const channels = ['stable', 'beta'] as const
export type Channel = (typeof channels)[number]

/** Of some seeds, by a chance of their own: releases to the second channel, and who is moved to it and back, in mid-rollout too. */
export function channelEntries(seed: number, ids: readonly string[], others: readonly Entry[]): Entry[] {
  const random = seededRandom(seed * 92_821 + 11)
  const between = (from: number, to: number) => from + Math.floor(random.next() * (to - from + 1))
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T
  if (random.next() > 0.4) return []
  const entries: Entry[] = []
  for (let count = between(1, 3); count > 0; count--)
    entries.push({
      ...{ at: between(5_000, calmAt - 20_000), kind: 'release', release: pick(['good', 'good', ...kinds]) },
      ...{ waves: pick(['all', 'rings']), channel: 'beta' },
    })
  const releases = [...others, ...entries].filter(({ kind }) => kind === 'release')
  for (let count = between(1, 4); count > 0; count--) {
    // Most of them while something is on its way.
    const near = random.next() < 0.7 ? pick(releases).at + between(500, 40_000) : between(5_000, calmAt)
    entries.push({
      at: Math.min(near, calmAt - 10_000),
      kind: 'move',
      on: pick(ids),
      to: pick(['beta', 'beta', 'stable']),
    })
  }
  return entries
}

/** What `allowedRelease` does: the newest release of a channel whose rollout came to its end. */
function allowedRelease(db: Database, channel: Channel) {
  const rollouts = [...db.rollouts.values()].sort((a, b) => b.createdAt - a.createdAt)
  return [...db.releases.values()]
    .filter((release) => release.channel === channel)
    .filter(({ digest }) => rollouts.find((row) => row.release === digest)?.state.phase === 'complete')
    .sort((a, b) => b.sequence - a.sequence)[0]
}

/** What `updateDeployment` does of a move: the deployment follows the channel, and is told what it is allowed there. */
export function moveTo(db: Database, row: DeploymentRow, channel: Channel, at: number): void {
  if (row.channel === channel || row.deleted || row.operation !== 'run') return
  row.channel = channel
  const allowed = allowedRelease(db, channel)
  const there = row.target ? (db.releases.get(row.target.release)?.sequence ?? 0) : 0
  if (row.pinned === null && allowed && allowed.sequence > there)
    db.tell(row, db.prepare(row, allowed.digest), null, 'ada', `It was moved to the channel ${channel}`, at)
  for (const rollout of db.rollouts.values())
    if (rollout.channel === channel && rollout.finishedAt === null) db.nudge(rollout.id, at)
  db.notify('rollouts')
}
