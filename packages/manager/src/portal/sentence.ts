import type { Reason } from '@landfall/rollout'
import type { PortalRequest } from './requests.ts'

/** One sentence or two for the top of the customer's page: what runs, and what waits. `running` and `wanted` are versions. */
export function sentenceOf(of: {
  running: string | null
  /** What it is asked to run, when that is not what runs. */
  wanted: string | null
  arriving: string | null
  phase: string
  reason: Pick<Reason, 'code' | 'message'>
  revoked: boolean
  leaving: boolean
  requests: readonly PortalRequest[]
}): string {
  const runs = of.running === null ? 'Nothing runs yet.' : `${of.running} runs.`
  return of.phase === 'deleted' ? 'Everything is gone.' : `${runs} ${waits(of)}`
}

function waits({ wanted, arriving, reason, revoked, leaving, requests }: Parameters<typeof sentenceOf>[0]): string {
  const next = wanted ?? 'An update'
  if (revoked && leaving)
    return 'You asked for everything to be taken away, which waits because you revoked access: grant it once more.'
  if (leaving) return 'Everything is being taken away.'
  if (revoked) return 'You have revoked access: nothing is done in your environment.'
  const [first, ...more] = requests
  if (first) return first.message + (more.length > 0 ? ` ${more.length} more wait for you.` : '')
  if (reason.code === 'UPDATE_REFUSED') return `You refused ${next}: it is not brought.`
  if (reason.code === 'UPDATES_PAUSED') return `${next} waits, because you paused updates.`
  if (reason.code === 'WAITS_FOR_WINDOW') return `${next} waits for your maintenance window.`
  if (reason.code === 'WAITS_FOR_APPROVAL') return `${next} waits for its approval to be taken up.`
  if (arriving) return `${arriving} is on its way.`
  return wanted === null ? 'Nothing waits for you.' : `${next} does not run: ${reason.message}`
}
