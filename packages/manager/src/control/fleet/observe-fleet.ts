import type { FleetObservation, MemberObservation } from '@landfall/rollout'
import { absolute, type SiteNews, siteSentence } from '../../exports/site-news.ts'
import type { FleetReading, FleetRow } from './read-fleet.ts'

export interface SeenFleet {
  observation: FleetObservation
  /** Deployments whose engine remembers what they would be told as gone back: only a retry makes it try again. */
  rejected: ReadonlySet<string>
}

/**
 * The fleet as one rollout sees it, from what was read: pure.
 *
 * @param now milliseconds since the epoch
 * @param offlineAfterMs a deployment that was not seen for this long does not count until it is; far above the cadence of looks at one
 *   that rests, and of an agent's polls
 */
export function observeFleet(
  rollout: { release: string; phase: string },
  reading: FleetReading,
  clock: Clocks,
): SeenFleet {
  const members: MemberObservation[] = []
  const rejected = new Set<string>()
  const digests: Record<string, string> = {}
  for (const row of reading.rows) {
    const one = reading.prepared.get(row.id)
    // One that lacks an input still has to be seen; it gets a target that nobody is told, because it is excluded.
    const refusal = one && 'refusal' in one ? { code: one.refusal.code, message: one.refusal.message } : undefined
    const digest = one && 'target' in one ? one.target.digest : 'none'
    digests[row.id] = digest
    // By now it may have been told something else: its own stable, after an abort.
    if (row.rejected?.some(({ target }) => target === digest)) rejected.add(row.id)
    members.push(memberOf(row, rollout, refusal, reading.news.get(row.id), clock))
  }
  return {
    rejected,
    observation: {
      targets: digests,
      members,
      freeze: reading.freeze,
      controls: reading.controls,
    },
  }
}

export interface Clocks {
  now: number
  offlineAfterMs: number
}

/** How one deployment stands towards what it was told. */
function memberOf(
  row: FleetRow,
  rollout: { release: string; phase: string },
  refusal: { code: string; message: string } | undefined,
  site: SiteNews | undefined,
  clock: Clocks,
): MemberObservation {
  const excluded = site
    ? { code: 'by-bundle', message: siteSentence(site, absolute) }
    : (exclusionOf(row, rollout, clock) ?? refusal)
  const told = row.told?.digest ?? null
  const member: MemberObservation = {
    id: row.id,
    name: row.name,
    group: row.group_name,
    resting: row.resting,
    told,
    outcome: 'progressing',
  }
  if (excluded) member.excluded = excluded
  if (row.taken_over) member.takenOver = true
  if (row.going_back) member.goingBack = row.going_back
  member.restedBefore = row.rested_before
  if (row.rests_on_ours) member.restsOnOurs = true
  if (!answered(row)) member.unanswered = true
  if (member.unanswered || told === null) return member
  const rejection = row.rejected?.find(({ target }) => target === told)
  if (rejection) {
    member.outcome = 'rolled-back'
    member.failure = { code: rejection.code, message: rejection.message }
  } else if (row.phase === 'failed') {
    member.outcome = 'failed'
    member.failure = { code: row.code ?? 'FAILED', message: row.message ?? 'It failed' }
  } else if (row.phase === 'running' && row.resting === told) member.outcome = 'healthy'
  return member
}

/** Before the engine has taken up the newest generation, its state speaks of an earlier wish. */
const answered = (row: FleetRow) => row.generation === row.requested_generation

/** Reason codes of the engine by which a customer holds an update back. */
const heldBy: Readonly<Record<string, { code: string; message: string }>> = {
  WAITS_FOR_APPROVAL: { code: 'awaiting-approval', message: 'Its customer has not approved the update yet' },
  UPDATE_REFUSED: { code: 'refused', message: 'Its customer has refused the update' },
  UPDATES_PAUSED: { code: 'updates-paused', message: 'Its customer has paused updates' },
  WAITS_FOR_WINDOW: { code: 'outside-window', message: 'It is outside of its maintenance window' },
}

/** Why a deployment does not count now; undefined when it does. */
function exclusionOf(
  row: FleetRow,
  rollout: { release: string; phase: string },
  clock: Clocks,
): { code: string; message: string } | undefined {
  if (row.pinned !== null) return { code: 'pinned', message: 'It is pinned to a release' }
  if (row.phase === 'access-revoked') {
    return { code: 'access-revoked', message: row.message ?? 'Access to its environment was revoked' }
  }
  if (row.setup_release === null || row.phase === 'needs-setup') {
    return { code: 'needs-setup', message: 'A setup has to be applied by its customer first' }
  }
  const unseen = unseenOf(row, clock)
  if (unseen) return unseen
  // What its customer says of an earlier release says nothing of this one.
  const asked = row.told?.release === rollout.release
  const held = answered(row) && asked ? heldBy[row.code ?? ''] : undefined
  if (held) return held
  if (row.ahead && rollout.phase === 'complete')
    return { code: 'ahead', message: 'It was told a newer release already' }
  if (row.going_back && rollout.phase === 'complete')
    return { code: 'going-back', message: 'A rollout that was aborted brings it back first' }
  return undefined
}

/** An agent speaks without being asked, so silence means something even where nothing is due; a runner's does not. */
function unseenOf(row: FleetRow, { now, offlineAfterMs }: Clocks): { code: string; message: string } | undefined {
  if (row.model === 'pull' && row.last_seen_at === null) {
    return { code: 'not-enrolled', message: 'Its agent has never been seen' }
  }
  if ((row.idle && row.model === 'push') || row.last_seen_at === null) return undefined
  if (row.last_seen_at.getTime() >= now - offlineAfterMs) return undefined
  return { code: 'offline', message: `It was last seen at ${row.last_seen_at.toISOString()}` }
}
