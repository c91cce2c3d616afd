import type { FleetObservation, FleetState, Member, MemberObservation, MemberStatus } from './types.ts'

/** Members as they are now, from what was known and what is seen. */
export function seeMembers(state: FleetState, seen: FleetObservation, now: number): Record<string, Member> {
  const closed = ['aborting', 'aborted', 'superseded'].includes(state.phase)
  const members: Record<string, Member> = {}
  for (const observed of seen.members) {
    const before = state.members[observed.id]
    const target = seen.targets[observed.id] ?? before?.target
    if (target === undefined || (!before && closed)) continue
    const known = before ?? { id: observed.id, wave: 0, status: 'waiting' as const, since: now, from: null, target }
    members[observed.id] = see({ ...known, target: closed ? known.target : target }, observed, now)
  }
  for (const [id, before] of Object.entries(state.members)) {
    if (members[id]) continue
    members[id] = change(before, before.told && closed ? 'returned' : 'excluded', now, {
      code: 'gone',
      message: 'The deployment no longer exists',
    })
  }
  return members
}

function see(member: Member, observed: MemberObservation, now: number): Member {
  if (member.status === 'returned') return member
  if (observed.takenOver) {
    const { told: _, again: __, ...rest } = member
    return change(rest, 'excluded', now, { code: 'taken-over', message: 'A newer rollout has told it since' })
  }
  if (member.status === 'returning') {
    const back = observed.told === member.from && (member.from === null || observed.resting === member.from)
    // Why it failed stays with it: the rollout was aborted for that.
    return back ? change(member, 'returned', now, member.reason) : member
  }
  if (observed.excluded) return change(member, 'excluded', now, observed.excluded)
  if (!member.told)
    return change(
      member,
      observed.resting === member.target && observed.told === member.target ? 'succeeded' : 'waiting',
      now,
    )
  return seeTold(member, observed, now)
}

function seeTold(member: Member, observed: MemberObservation, now: number): Member {
  const current = observed.told === member.target
  const ended = observed.outcome === 'failed' || observed.outcome === 'rolled-back'
  if (current && ended && !member.again) {
    const word = observed.outcome === 'failed' ? 'could not get there' : 'went back by itself'
    return change(member, 'failed', now, observed.failure ?? { code: observed.outcome, message: word })
  }
  const { again, ...rest } = member
  const next: Member = current && !ended ? rest : again ? { ...rest, again } : rest
  const there = current && observed.resting === member.target && observed.outcome === 'healthy'
  return change(next, there ? 'succeeded' : 'in-flight', now)
}

/** The member with a status, and since when it has it. */
export function change(
  member: Member,
  status: MemberStatus,
  now: number,
  reason?: { code: string; message: string },
): Member {
  const { reason: _, ...rest } = member
  return { ...rest, status, since: status === member.status ? member.since : now, ...(reason ? { reason } : {}) }
}
