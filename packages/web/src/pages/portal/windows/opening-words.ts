import type { Opening } from './recurrence.ts'

const day = (timeZone: string) =>
  new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone })
const clock = (timeZone: string) => new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone })

export const dayInWords = (at: number, timeZone: string) => day(timeZone).format(at)

/** `Sun, 29 Nov 2026, 04:00 to 08:00`: in the window's zone. */
export function openingInWords({ from, to }: Opening, timeZone: string): string {
  const days = [day(timeZone).format(from), day(timeZone).format(to)]
  const end = `${days[0] === days[1] ? '' : `${days[1]}, `}${clock(timeZone).format(to)}`
  return `${days[0]}, ${clock(timeZone).format(from)} to ${end}`
}
