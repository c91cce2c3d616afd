const units: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' })
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const shortClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

/** `12 min. ago`, `in 3 days`; `just now` within ten seconds. Both instants in milliseconds since the epoch. */
export function relativeTime(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000)
  if (Math.abs(seconds) < 10) return 'just now'
  for (const [unit, size] of units) {
    // "1 week ago" would be said of 13 days: days are told until there are three weeks.
    if (Math.abs(seconds) >= (unit === 'week' ? 3 * size : size))
      return relative.format(Math.trunc(seconds / size), unit)
  }
  return 'just now'
}

/** In the viewer's own zone, with the zone's name. */
export const exactTime = (at: number) => exact.format(at)
/** Time of day in the viewer's zone; with seconds unless told otherwise. */
export const clockTime = (at: number, seconds = true) => (seconds ? clock : shortClock).format(at)

/** `850 ms`, `3 min`, `2 h`: a length of time, in milliseconds. */
export function lengthOfTime(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 120) return `${trim(seconds)} s`
  if (seconds < 7200) return `${trim(seconds / 60)} min`
  if (seconds < 172_800) return `${trim(seconds / 3600)} h`
  return `${trim(seconds / 86_400)} days`
}

const trim = (value: number) => String(Math.round(value * 10) / 10)
