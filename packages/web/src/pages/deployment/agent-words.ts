import type { AgentView } from '../../api/types.ts'
import { lengthOfTime } from '../../format/time.ts'
import { byteSize, plural, sentenceCase } from '../../format/words.ts'

/** By which road a report came. */
export const roads = { sync: 'by sync', export: 'by an export that was carried here' } as const

/** Settings of the customer by the names that pages use. */
export const settingNames: Record<string, string> = {
  updates: 'how updates come',
  approvals: 'where an approval counts',
  windows: 'maintenance windows',
  telemetry: 'telemetry',
  access: 'access',
}

/** Beyond this a clock is worth a person's look: windows open late, and times in reports mislead. Milliseconds. */
const tolerated = 30_000

export const isClockOff = (offsetMs: number | null) => offsetMs !== null && Math.abs(offsetMs) > tolerated

/** `180 ms ahead of the manager’s`; null: never compared. */
export function clockInWords(offsetMs: number | null): string {
  if (offsetMs === null) return 'not compared yet'
  if (Math.abs(offsetMs) < 1_000) return 'right'
  return `${lengthOfTime(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'} the manager’s`
}

export const waitingInWords = (bytes: number) =>
  bytes === 0 ? 'nothing waits to be sent' : `${byteSize(bytes)} wait to be sent`

type Dropped = NonNullable<AgentView['telemetry']>['dropped'][number]
/** `18,422 logs (4.1 MB) were dropped: age`. */
export const droppedInWords = ({ items, signal, bytes, reason }: Dropped) =>
  `${plural(items, signal.replace(/s$/, ''))} (${byteSize(bytes)}) dropped: ${sentenceCase(reason).toLowerCase()}`
