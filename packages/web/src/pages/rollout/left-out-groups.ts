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
  ['refused', 'was refused by its customer', 'were refused by their customers', 'person'],
  [
    'updates-paused',
    'has its updates paused by its customer',
    'have their updates paused by their customers',
    'person',
  ],
  ['E_SECRET_MISSING', 'lacks a secret that it asks for', 'lack a secret that they ask for', 'warning'],
  ['not-enrolled', 'has an agent that was never seen', 'have an agent that was never seen', 'signal'],
  ['outside-window', 'is outside of its maintenance window', 'are outside of their maintenance windows', 'calendar'],
  ['offline', 'was not seen for a while', 'were not seen for a while', 'signal'],
  ['going-back', 'is brought back by another rollout first', 'are brought back by another rollout first', 'clock'],
  ['by-bundle', 'gets its releases by bundle', 'get their releases by bundle', 'airgap'],
  ['access-revoked', 'took the access back', 'took the access back', 'lock'],
  ['pinned', 'is pinned to a release', 'are pinned to a release', 'pin'],
  ['taken-over', 'was told by a newer rollout since', 'were told by a newer rollout since', 'clock'],
  ['ahead', 'was told a newer release already', 'were told a newer release already', 'clock'],
  ['gone', 'is not there any more', 'are not there any more', 'clock'],
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
      const [verb, known] = of.length === 1 ? ['does', one] : ['do', many]
      const words = known ?? `${verb} not count: ${sentenceCase(code).toLowerCase()}`
      return { code, words, icon, members: of.sort((a, b) => a.name.localeCompare(b.name)) }
    })
}
