import type { FleetPlan, Member } from './types.ts'

/** A fixed order that has nothing to do with names or age (FNV-1a), so that the first wave is no special kind of customer. */
export function orderOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

export interface Candidate {
  member: Member
  group: string | null
}

/**
 * The wave of every deployment that counts, by id. Groups take theirs; a share takes, in a fixed order, as many as it needs
 * of all that count, with those of earlier waves. One that was told stays in the wave it was told in. `waves.length`: the
 * rest, which follows the last wave.
 */
export function assignWaves(plan: FleetPlan, counted: readonly Candidate[]): Map<string, number> {
  const waves = new Map<string, number>()
  const told = counted.filter(({ member }) => member.told)
  const free = counted
    .filter(({ member }) => !member.told)
    .sort((a, b) => orderOf(a.member.id) - orderOf(b.member.id) || (a.member.id < b.member.id ? -1 : 1))
  for (const { member } of told) waves.set(member.id, member.wave)
  for (const [index, wave] of plan.waves.entries()) {
    if (wave.groups) {
      for (const { member, group } of free)
        if (group !== null && wave.groups.includes(group) && !waves.has(member.id)) waves.set(member.id, index)
      continue
    }
    const needed = Math.ceil(((wave.share ?? 100) * counted.length) / 100 - 1e-9)
    let have = [...waves.values()].filter((each) => each <= index).length
    for (const { member } of free) {
      if (have >= needed) break
      if (waves.has(member.id)) continue
      waves.set(member.id, index)
      have += 1
    }
  }
  for (const { member } of counted) if (!waves.has(member.id)) waves.set(member.id, plan.waves.length)
  return waves
}
