import type { FleetPlan, Member } from './types.ts'

/** A fixed order that has nothing to do with names or age (FNV-1a), so that the first wave is no special kind of customer. */
export function orderOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/**
 * The wave of every deployment that counts, by id. Groups take theirs; a share takes, in a fixed order, as many as it needs
 * of all that count, with those of earlier waves. One that was told stays in the wave it was told in. `waves.length`: the
 * rest, which follows the last wave.
 */
export function assignWaves(
  plan: FleetPlan,
  counted: readonly Member[],
  groups: ReadonlyMap<string, string | null>,
): Map<string, number> {
  const waves = new Map<string, number>()
  let free: readonly Member[] = counted.filter((member) => !member.told)
  for (const member of counted) if (member.told) waves.set(member.id, member.wave)
  let sorted = false
  for (const [index, wave] of plan.waves.entries()) {
    if (wave.groups) {
      for (const { id } of free) {
        const group = groups.get(id) ?? null
        if (group !== null && wave.groups.includes(group) && !waves.has(id)) waves.set(id, index)
      }
      continue
    }
    const needed = Math.ceil(((wave.share ?? 100) * counted.length) / 100 - 1e-9)
    let have = 0
    for (const each of waves.values()) if (each <= index) have += 1
    // Whom a share takes is a question of order only where it does not take all.
    if (needed < counted.length && !sorted) {
      free = inOrder(free)
      sorted = true
    }
    for (const { id } of free) {
      if (have >= needed) break
      if (waves.has(id)) continue
      waves.set(id, index)
      have += 1
    }
  }
  for (const { id } of counted) if (!waves.has(id)) waves.set(id, plan.waves.length)
  return waves
}

/** Sorted by `orderOf`, which is worked out once for each. */
function inOrder(members: readonly Member[]): Member[] {
  return members
    .map((member) => ({ member, order: orderOf(member.id) }))
    .sort((a, b) => a.order - b.order || (a.member.id < b.member.id ? -1 : 1))
    .map(({ member }) => member)
}
