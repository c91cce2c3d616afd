import type { Member, MemberStatus } from '@landfall/rollout'

/** A row of `rollout_members`, as a look reads it beside its deployment. */
export interface MemberColumns {
  wave: number
  status: MemberStatus
  since: number
  origin: string | null
  target: string
  /** The rollout told it; one that was on the target before was not reached. */
  reached: boolean
  /** `origin` is a guess until its first answer. */
  unsure: boolean
  again: boolean
  reason_code: string | null
  reason_message: string | null
}

export function memberOf(id: string, row: MemberColumns): Member {
  const member: Member = {
    id,
    wave: row.wave,
    status: row.status,
    since: row.since,
    from: row.origin,
    target: row.target,
  }
  if (row.reason_code !== null) member.reason = { code: row.reason_code, message: row.reason_message ?? '' }
  if (row.reached) member.told = true
  if (row.unsure) member.unsure = true
  if (row.again) member.again = true
  return member
}

export function columnsOf(member: Member): MemberColumns {
  return {
    wave: member.wave,
    status: member.status,
    since: member.since,
    origin: member.from,
    target: member.target,
    reached: member.told === true,
    unsure: member.unsure === true,
    again: member.again === true,
    reason_code: member.reason?.code ?? null,
    reason_message: member.reason?.message ?? null,
  }
}
