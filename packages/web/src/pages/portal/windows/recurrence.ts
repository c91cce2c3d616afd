import { RRuleTemporal } from 'rrule-temporal'
import { toText } from 'rrule-temporal/totext'
import { Temporal } from 'temporal-polyfill'
import type { MaintenanceWindow } from '../../../api/types.ts'

/** A time in which updates may begin; milliseconds since the epoch. */
export interface Opening {
  from: number
  to: number
}
/** The next change of a zone's clocks, and whether a window does not open because of one. Milliseconds since the epoch. */
export interface ClockChange {
  at: number
  /** A day on which the window's local time does not exist: it is left out. */
  skipped: number | null
}

const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const longest = 7 * unit.d
const year = 366 * unit.d

/** The length of a window's `duration`, in milliseconds; null where it is none, or longer than a week. */
export function durationMs(duration: string): number | null {
  const [, count, of] = /^([1-9]\d{0,4})([mhd])$/.exec(duration) ?? []
  if (count === undefined || of === undefined) return null
  const ms = Number(count) * unit[of as keyof typeof unit]
  return ms > longest ? null : ms
}

/** The library gives up after this many periods without an occurrence; the engine's own bound. */
const maxIterations = 2_000

function ruleOf(window: MaintenanceWindow): RRuleTemporal {
  const dtstart = Temporal.PlainDateTime.from(window.start).toZonedDateTime(window.timeZone)
  return new RRuleTemporal({ rruleString: window.rrule, dtstart, strict: true, maxIterations, cache: false })
}

/** Hours and minutes are exact; days follow the calendar, as in the engine. */
function closes(window: MaintenanceWindow, opens: Temporal.ZonedDateTime, length: number): number {
  if (!window.duration.endsWith('d')) return opens.epochMilliseconds + length
  return opens.add({ days: length / unit.d }).epochMilliseconds
}

/**
 * The next openings of a window, the one that is open first; fewer, or none, where the rule ends. The meaning is the engine's
 * (`windowsAt`): a local time that does not exist that day is left out, one that comes twice is at the first.
 *
 * @throws Error where rule, start or zone can't be read
 */
export function openingsOf(window: MaintenanceWindow, now: number, count: number): Opening[] {
  const length = durationMs(window.duration)
  if (length === null) throw new Error('it may be open for a minute to a week')
  const rule = ruleOf(window)
  const found: Opening[] = []
  // A day of 25 hours: an opening in days may have begun a little earlier.
  let after = new Date(now - length - unit.h)
  while (found.length < count) {
    const next = rule.next(after, false)
    if (!next) break
    const to = closes(window, next, length)
    if (to > now) found.push({ from: next.epochMilliseconds, to })
    after = new Date(next.epochMilliseconds)
  }
  return found
}

/** The next change of the clocks in the window's zone within a year, and the day that it takes an opening away, if it does. */
export function clockChange(window: MaintenanceWindow, now: number): ClockChange | null {
  const begin = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(window.timeZone)
  const change = begin.getTimeZoneTransition('next')
  if (!change || change.epochMilliseconds > now + year) return null
  const spring = [change, change.getTimeZoneTransition('next')].find(
    (each) => each && each.offsetNanoseconds > each.subtract({ nanoseconds: 1 }).offsetNanoseconds,
  )
  return {
    at: change.epochMilliseconds,
    skipped: spring && isSkipped(window, spring) ? spring.epochMilliseconds : null,
  }
}

/** The same rule without a zone's clocks opens that day, and at a local time that is not there. */
function isSkipped(window: MaintenanceWindow, spring: Temporal.ZonedDateTime): boolean {
  const floating = ruleOf({ ...window, timeZone: 'UTC' })
  const day = spring.toPlainDate().toZonedDateTime('UTC')
  const on = floating.between(new Date(day.epochMilliseconds), new Date(day.epochMilliseconds + unit.d - 1), true)
  return on.some((each) => {
    const local = each.toPlainDateTime()
    return !local.toZonedDateTime(window.timeZone).toPlainDateTime().equals(local)
  })
}

/** A rule that nobody chose by weekdays, as words. */
export function ruleInWords(window: MaintenanceWindow): string {
  return toText(ruleOf(window))
}
