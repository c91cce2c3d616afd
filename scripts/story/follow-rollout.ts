import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@landfall/contract'
import type { Narrator } from './narrator.ts'
import { project } from './vendor.ts'

export type RolloutView = Awaited<ReturnType<Client['getRollout']>>

/** Where each member's share was seen, in the order in which it was seen. */
export interface Followed {
  rollout: RolloutView
  /** Distinct asked shares per deployment. */
  shares: Map<string, number[]>
  /** Deployments that were ever told, per wave. */
  touched: Set<string>
}

const ended = new Set(['complete', 'aborted', 'superseded'])

/** Follows a rollout to its end on the live line; throws when it has not ended after `deadlineMs`. */
export async function followRollout(
  client: Client,
  id: string,
  narrator: Narrator,
  deadlineMs: number,
): Promise<Followed> {
  const until = Date.now() + deadlineMs
  const shares = new Map<string, number[]>()
  const touched = new Set<string>()
  for (;;) {
    const rollout = await client.getRollout({ params: { project, rollout: id } })
    for (const member of rollout.members) {
      if (member.status !== 'waiting' && member.status !== 'excluded') touched.add(member.name)
      if (member.asked === null) continue
      const seen = shares.get(member.name) ?? []
      if (seen.at(-1) !== member.asked) shares.set(member.name, [...seen, member.asked])
    }
    narrator.live(line(rollout))
    if (ended.has(rollout.phase)) return { rollout, shares, touched }
    if (Date.now() > until)
      throw new Error(
        `the rollout of ${rollout.version} did not end within ${deadlineMs / 1000} s: ${rollout.sentence}`,
      )
    await sleep(250)
  }
}

function line(rollout: RolloutView): string {
  const moving = rollout.members.filter(
    (member) => member.served !== null && (member.status === 'in-flight' || member.status === 'returning'),
  )
  const bars = moving.map((member) => `${member.name} ${bar(member.served ?? 0)} ${Math.round(member.served ?? 0)}%`)
  const there = rollout.members.filter((member) => member.status === 'succeeded').length
  return `${rollout.version} · ${rollout.waves[rollout.wave]?.name ?? 'done'} · ${there} of ${rollout.members.length} there${bars.length ? ` · ${bars.join('  ')}` : ''}`
}

const bar = (percent: number) => '█'.repeat(Math.round(percent / 10)).padEnd(10, '░')
