import type { Opening } from './recurrence.ts'

const day = (timeZone: string) =>
  new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone })
const dayOfThisYear = (timeZone: string) =>
  new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone })
const yearOf = (at: number, timeZone: string) => new Intl.DateTimeFormat('en', { year: 'numeric', timeZone }).format(at)
const clock = (timeZone: string) => new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone })

export const dayInWords = (at: number, timeZone: string) => day(timeZone).format(at)

/** `Sun 29 Nov, 04:00 to 08:00` in a zone; with the year where that is not the year of `now`. */
export function openingInWords({ from, to }: Opening, timeZone: string, now: number): string {
  const days = [from, to].map((at) =>
    (yearOf(at, timeZone) === yearOf(now, timeZone) ? dayOfThisYear : day)(timeZone).format(at),
  )
  const end = `${days[0] === days[1] ? '' : `${days[1]}, `}${clock(timeZone).format(to)}`
  return `${days[0]}, ${clock(timeZone).format(from)} to ${end}`
}
