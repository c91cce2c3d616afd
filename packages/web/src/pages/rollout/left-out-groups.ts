import type { RolloutMember } from '../../api/types.ts'
import { sentenceCase } from '../../format/words.ts'
import type { IconName } from '../../ui/icon.tsx'

export interface LeftOutGroup {
  code: string
  /** Goes on from "3 deployments": `wait for their customer’s approval`. */
  words: string
  icon: IconName
  members: RolloutMember[]
}

/** Every reason for which a deployment is not in the denominator, in the order in which a person can do something about it. */
const reasons: readonly [code: string, one: string, many: string, icon: IconName][] = [
  ['awaiting-approval', 'waits for its customer’s approval', 'wait for their customers’ approval', 'person'],
  [
    'needs-setup',
    'waits for a setup that its customer applies',
    'wait for a setup that their customers apply',
    'warning',
  ],
  ['outside-window', 'is outside of its maintenance window', 'are outside of their maintenance windows', 'calendar'],
  ['offline', 'was not seen for a while', 'were not seen for a while', 'signal'],
  ['going-back', 'is brought back by another rollout first', 'are brought back by another rollout first', 'clock'],
  ['by-bundle', 'gets its releases by bundle', 'get their releases by bundle', 'airgap'],
  ['access-revoked', 'took the access back', 'took the access back', 'lock'],
  ['pinned', 'is pinned to a release', 'are pinned to a release', 'pin'],
]

/** Members that do not count, by reason. */
export function leftOutGroups(members: readonly RolloutMember[]): LeftOutGroup[] {
  const by = new Map<string, RolloutMember[]>()
  for (const member of members) {
    if (member.status !== 'excluded') continue
    const code = member.reason?.code ?? 'unknown'
    by.set(code, [...(by.get(code) ?? []), member])
  }
  const rank = (code: string) => {
    const at = reasons.findIndex(([known]) => known === code)
    return at < 0 ? reasons.length : at
  }
  return [...by]
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([code, of]) => {
      const [, one, many, icon = 'clock' as const] = reasons[rank(code)] ?? []
      const words = (of.length === 1 ? one : many) ?? `do not count: ${sentenceCase(code).toLowerCase()}`
      return { code, words, icon, members: of.sort((a, b) => a.name.localeCompare(b.name)) }
    })
}
