import type { FleetObservation, FleetState, Member, MemberObservation, MemberStatus } from './types.ts'

/**
 * Members as they are now, from what was known and what is seen. A new record; a member of which nothing has changed is the
 * same object as before, so that a fleet that rests costs little and whoever stores it finds what differs.
 */
export function seeMembers(state: FleetState, seen: FleetObservation, now: number): Record<string, Member> {
  const closed = ['aborting', 'aborted', 'superseded'].includes(state.phase)
  const members: Record<string, Member> = {}
  for (const observed of seen.members) {
    const { id } = observed
    const before = state.members[id]
    const target = seen.targets[id] ?? before?.target
    if (target === undefined || (!before && closed)) continue
    const known: Member = before ?? { id, wave: 0, status: 'waiting', since: now, from: null, target }
    members[id] = see(closed || known.target === target ? known : { ...known, target }, observed, now)
  }
  for (const id in state.members) {
    const before = state.members[id]
    if (!before || members[id]) continue
    members[id] = change(before, before.told && closed ? 'returned' : 'excluded', now, gone)
  }
  return members
}

const gone = { code: 'gone', message: 'The deployment no longer exists' }

function see(member: Member, observed: MemberObservation, now: number): Member {
  if (member.status === 'returned') return member
  if (observed.takenOver) {
    const taken = { code: 'taken-over', message: 'A newer rollout has told it since' }
    return change(untold(member), 'excluded', now, taken)
  }
  return seeOwn(settleFrom(member, observed), observed, now)
}

/** The answer to an order of ours says what was there before it. */
function settleFrom(member: Member, observed: MemberObservation): Member {
  const ours = observed.told === member.target || (observed.told === null && member.status === 'returning')
  if (!member.unsure || observed.unanswered || !ours) return member
  const { unsure: _, ...rest } = member
  // Our release with another config is ours too: its config was changed since it was told.
  const brought = observed.resting === member.target || observed.restsOnOurs === true
  if (!brought) return { ...rest, from: observed.resting }
  // One that rested there when it was told is where it was: what it rested on before that it has left long ago.
  return member.from === observed.resting ? rest : { ...rest, from: observed.restedBefore ?? null }
}

function seeOwn(member: Member, observed: MemberObservation, now: number): Member {
  if (member.status === 'returning') {
    if (member.unsure) return member
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
  const next = current && !ended ? notAgain(member) : member
  const there = current && observed.resting === member.target && observed.outcome === 'healthy'
  return change(next, there ? 'succeeded' : 'in-flight', now)
}

function notAgain(member: Member): Member {
  if (member.again === undefined) return member
  const { again: _, ...rest } = member
  return rest
}

/** As if this rollout had never told it. */
export function untold(member: Member): Member {
  if (member.told === undefined && member.unsure === undefined) return notAgain(member)
  const { told: _, unsure: __, ...rest } = member
  return notAgain(rest)
}

/** The member with a status, and since when it has it; the same object where nothing differs. */
export function change(
  member: Member,
  status: MemberStatus,
  now: number,
  reason?: { code: string; message: string },
): Member {
  const why = member.reason
  if (status === member.status && why?.code === reason?.code && why?.message === reason?.message) return member
  const { reason: _, ...rest } = member
  return { ...rest, status, since: status === member.status ? member.since : now, ...(reason ? { reason } : {}) }
}
