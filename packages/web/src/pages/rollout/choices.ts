import type { Control, RolloutDetail } from '../../api/types.ts'
import { plural } from '../../format/words.ts'
import type { Look } from '../../ui/button.tsx'
import type { Consequence } from '../../ui/dialog.tsx'
import type { IconName } from '../../ui/icon.tsx'

/** A control that is offered, with what it would do in words. */
export interface Choice {
  kind: Control
  name: string
  icon: IconName
  look: NonNullable<Look['look']>
  title: string
  verb: string
  danger: boolean
  consequences: Consequence[]
}

/** What each control would do to this rollout now, counted. */
export function choicesOf(rollout: RolloutDetail): Choice[] {
  const count = (...statuses: string[]) => rollout.members.filter((member) => statuses.includes(member.status)).length
  const { version } = rollout
  const inFlight = count('in-flight')
  const there = count('succeeded')
  const waiting = count('waiting')
  const failed = count('failed')
  const wave = rollout.waves[rollout.wave]
  const next = rollout.waves[rollout.wave + 1]
  const returns = rollout.plan.rollbackReached
  const reached = inFlight + (returns ? there : 0)
  const all: Record<Control, Choice> = {
    pause: {
      kind: 'pause',
      name: 'Pause',
      icon: 'pause',
      look: 'plain',
      title: `Pause the rollout of ${version}?`,
      verb: 'Pause the rollout',
      danger: false,
      consequences: [
        { icon: 'clock', text: `${plural(waiting, 'deployment')} that did not start will not start.` },
        { icon: 'moving', text: `${plural(inFlight, 'deployment')} on the way keep to their own steps and arrive.` },
        {
          icon: 'back',
          text: 'It can be undone: resume goes on where it stood. Paused time counts toward no deadline.',
        },
      ],
    },
    resume: {
      kind: 'resume',
      name: 'Resume',
      icon: 'play',
      look: 'primary',
      title: `Resume the rollout of ${version}?`,
      verb: 'Resume the rollout',
      danger: false,
      consequences: [
        {
          icon: 'moving',
          text: `It goes on in ${wave ? `the wave ${wave.name}` : 'its wave'}: ${plural(waiting, 'deployment')} may start, ${rollout.plan.maxInFlight} at a time.`,
        },
        { icon: 'back', text: 'It can be undone: pause or abort it at any time.' },
      ],
    },
    promote: {
      kind: 'promote',
      name: 'Promote',
      icon: 'forward',
      look: 'plain',
      title: `Promote ${version} past the wave ${wave?.name ?? ''}?`,
      verb: next ? `Promote to the wave ${next.name}` : 'Promote to the end',
      danger: false,
      consequences: [
        { icon: 'clock', text: 'The rest of this wave’s waiting time is skipped; what it measures still counts.' },
        next
          ? {
              icon: 'moving',
              text: `The wave ${next.name} starts now: ${plural(next.counted, 'deployment')}, ${rollout.plan.maxInFlight} at a time.`,
            }
          : { icon: 'moving', text: 'This is the last wave: the rollout completes.' },
        { icon: 'back', text: 'A skipped wait can’t be had back; abort brings back what was reached.' },
      ],
    },
    'promote-full': {
      kind: 'promote-full',
      name: 'Promote fully',
      icon: 'forward',
      look: 'plain',
      title: `Promote ${version} to every deployment now?`,
      verb: `Promote fully to ${plural(waiting + inFlight, 'deployment')}`,
      danger: true,
      consequences: [
        {
          icon: 'warning',
          text: 'The waits between the waves and what they measure are skipped; approvals and windows are not. Each deployment still goes by its own steps.',
        },
        {
          icon: 'moving',
          text: `${plural(waiting, 'deployment')} more may start now, ${rollout.plan.maxInFlight} at a time.`,
        },
        { icon: 'back', text: 'Skipped waits can’t be had back; abort brings back what was reached.' },
      ],
    },
    abort: {
      kind: 'abort',
      name: 'Abort',
      icon: 'stop',
      look: 'danger',
      title: `Abort the rollout of ${version}?`,
      verb: `Abort on ${plural(reached, 'deployment')}`,
      danger: true,
      consequences: [
        {
          icon: 'back',
          text: `${plural(inFlight, 'deployment')} on the way ${returns ? `and ${there} that already run ${version} ` : ''}go back, each to its own stable release.`,
        },
        { icon: 'clock', text: `${plural(waiting, 'deployment')} that did not start are never touched.` },
        { icon: 'forward', text: 'It ends this rollout. Retry begins it again from its first wave.' },
      ],
    },
    retry: {
      kind: 'retry',
      name: 'Retry',
      icon: 'moving',
      look: rollout.phase === 'aborted' ? 'primary' : 'plain',
      title: `Retry the rollout of ${version}?`,
      verb:
        rollout.phase === 'aborted'
          ? `Retry ${version} from its first wave`
          : `Retry on ${plural(failed, 'deployment')}`,
      danger: false,
      consequences: [
        rollout.phase === 'aborted'
          ? {
              icon: 'moving',
              text: `${plural(rollout.members.length, 'deployment')} are asked again, wave by wave, measured as before.`,
            }
          : { icon: 'moving', text: `${plural(failed, 'deployment')} that failed try ${version} again.` },
        { icon: 'warning', text: 'What made it fail is still in the release: retry when the cause was outside of it.' },
        { icon: 'back', text: 'It can be undone: abort it at any time.' },
      ],
    },
  }
  return offered(rollout, failed).map((kind) => all[kind])
}

function offered(rollout: RolloutDetail, failed: number): Control[] {
  const retry: Control[] = failed > 0 ? ['retry'] : []
  switch (rollout.phase) {
    case 'pending':
      return ['pause', 'abort']
    case 'progressing':
      return ['pause', 'promote', 'promote-full', ...retry, 'abort']
    case 'paused':
      return ['resume', 'promote', 'promote-full', ...retry, 'abort']
    case 'promoting':
      return ['abort']
    case 'aborted':
      return ['retry']
    default:
      return []
  }
}
