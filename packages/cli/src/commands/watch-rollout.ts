import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, rolloutDetail } from '@landfall/contract'
import type { z } from 'zod'
import type { Context } from '../context/context.ts'
import { Exit, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output/output.ts'
import { shareBar } from '../output/share-bar.ts'
import { relative } from '../output/time.ts'

type RolloutDetail = z.output<typeof rolloutDetail>

/** Sentence, waves, members with share bars, last decisions. */
export function describeRollout(rollout: RolloutDetail, output: Output): string {
  const waves = rollout.waves.map(
    (wave, index) =>
      `  ${index === rollout.wave ? '▸' : ' '} ${wave.name}: ${wave.succeeded} of ${wave.counted} there${wave.inFlight ? `, ${wave.inFlight} moving` : ''}${wave.failed ? `, ${wave.failed} failed` : ''}${wave.returned ? `, ${wave.returned} went back` : ''}`,
  )
  const members = output.table(rollout.members.slice(0, 40), [
    { title: 'deployment', value: (member) => member.name },
    { title: 'wave', value: (member) => rollout.waves[member.wave]?.name ?? '–' },
    { title: 'status', value: (member) => member.status },
    {
      title: 'share',
      value: (member) =>
        member.served === null
          ? ''
          : `${shareBar(member.served, member.asked ?? 0, 20, output.style)} ${Math.round(member.served)}%`,
    },
    { title: 'why', value: (member) => member.reason?.message ?? '', shrink: 1 },
  ])
  const decisions = rollout.decisions
    .slice(-8)
    .map((decision) => `  ${relative(decision.at)}: ${decision.message}${decision.by ? ` (${decision.by})` : ''}`)
  return [rollout.sentence, ...waves, '', members, decisions.length ? '\nDecisions:' : '', ...decisions]
    .join('\n')
    .trimEnd()
}

const ended = new Set(['complete', 'aborted', 'superseded'])

/** Prints each change once until the rollout has ended. Reads on a slow cadence; every change is a plain line a log can hold. */
export async function watchRollout(context: Context, client: Client, project: string, id: string): Promise<void> {
  const said = new Map<string, string>()
  const say = (key: string, text: string, event: object) => {
    if (said.get(key) === text) return
    said.set(key, text)
    context.output.event(
      { at: new Date().toISOString(), ...event },
      () => `${new Date().toISOString().slice(11, 19)}  ${text}`,
    )
  }
  for (;;) {
    const rollout = await client.getRollout({ params: { project, rollout: id } }, { signal: context.signal })
    say('rollout', rollout.sentence, { kind: 'rollout', phase: rollout.phase, sentence: rollout.sentence })
    for (const member of rollout.members) {
      if (member.status === 'waiting') continue
      const share =
        member.status === 'in-flight' && member.served !== null
          ? ` ${shareBar(member.served, member.asked ?? 0, 20, context.output.style)} ${Math.round(member.served)}%`
          : ''
      say(
        member.deployment,
        `  ${member.name}: ${member.status}${share}${member.reason ? ` · ${member.reason.message}` : ''}`,
        { kind: 'member', ...member },
      )
    }
    if (ended.has(rollout.phase)) {
      if (rollout.phase === 'aborted') throw new Exit(exitCodes.wentBack)
      if (rollout.phase === 'superseded') throw new Exit(exitCodes.failed)
      return
    }
    if (rollout.phase === 'paused' && !context.output.interactive) {
      context.output.next(`landfall rollouts resume ${id}`)
      throw new Exit(exitCodes.waits)
    }
    await sleep(500, undefined, { signal: context.signal })
  }
}
