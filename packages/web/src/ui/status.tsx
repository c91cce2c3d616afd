import { sentenceCase } from '../format/words.ts'
import { Icon, type IconName } from './icon.tsx'

export type Tone = 'normal' | 'good' | 'moving' | 'attention' | 'danger'

const looks: Record<string, readonly [Tone, IconName, string?]> = {
  healthy: ['good', 'circleCheck'],
  degraded: ['attention', 'warning'],
  failed: ['danger', 'failed'],
  unknown: ['normal', 'unknown'],

  pending: ['normal', 'clock'],
  waiting: ['normal', 'clock'],
  queued: ['normal', 'clock'],
  'not-reached': ['normal', 'circleCheck', 'Not reached'],
  excluded: ['normal', 'clock', 'Does not count'],
  progressing: ['moving', 'moving', 'In progress'],
  promoting: ['moving', 'moving'],
  'in-flight': ['moving', 'moving', 'On its way'],
  arriving: ['moving', 'moving', 'On its way'],
  running: ['good', 'circleCheck'],
  updating: ['moving', 'moving'],
  'setting-up': ['moving', 'moving'],
  creating: ['moving', 'moving'],
  deleting: ['moving', 'moving'],
  deleted: ['normal', 'close'],
  paused: ['attention', 'pause'],
  'needs-setup': ['attention', 'warning', 'Needs setup'],
  'access-revoked': ['attention', 'lock', 'Access revoked'],
  aborting: ['attention', 'back', 'Going back'],
  returning: ['attention', 'back', 'Going back'],
  aborted: ['danger', 'back', 'Aborted'],
  returned: ['attention', 'back', 'Went back'],
  'went-back': ['attention', 'back', 'Went back'],
  superseded: ['normal', 'forward', 'Superseded'],
  complete: ['good', 'circleCheck'],
  succeeded: ['good', 'circleCheck'],
  ready: ['good', 'circleCheck'],
  ok: ['good', 'circleCheck'],
  blocked: ['danger', 'failed'],
  expired: ['attention', 'clock'],
  cancelled: ['normal', 'stop'],
  pass: ['good', 'circleCheck'],
  fail: ['danger', 'failed'],
  inconclusive: ['normal', 'unknown'],
  'no-data': ['normal', 'unknown', 'No data'],
}

export const toneOf = (state: string): Tone => looks[state]?.[0] ?? 'normal'

/** A state as icon and word; the words are the design's own. `command` runs are moving, deployments that run are well. */
export function Status({ state, boxed = false, moving = false }: { state: string; boxed?: boolean; moving?: boolean }) {
  const [tone, icon, word] = moving
    ? (['moving', 'moving'] as const)
    : (looks[state] ?? (['normal', 'unknown'] as const))
  return (
    <span className={`status ${tone} ${boxed ? 'boxed' : ''}`}>
      <Icon name={icon} size={boxed ? 14 : 16} />
      {word ?? sentenceCase(state)}
    </span>
  )
}
