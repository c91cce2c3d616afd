import type { MaintenanceWindow } from '@landfall/stack'

/*
 * Maintenance windows the slow way, for the tests: every day from the start on is looked at, and local time comes from
 * `Intl.DateTimeFormat` alone. It shares no code with what it checks: neither the recurrence library nor Temporal.
 */

const dayMs = 86_400_000
const days = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']

/** All openings that begin before `until`, as `[opens, closes)`, unmerged. */
export function openingsOf(window: MaintenanceWindow, until: number): [number, number][] {
  const rule = new Map(window.rrule.split(';').map((part) => part.split('=') as [string, string]))
  const start = Date.parse(`${window.start}Z`)
  const last = rule.has('UNTIL')
    ? Date.parse(rule.get('UNTIL')?.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z') ?? '')
    : Infinity
  const count = Number(rule.get('COUNT') ?? Infinity)
  const found: [number, number][] = []
  for (const local of localStarts(rule, start, until + 2 * dayMs)) {
    const opens = instantOf(local, window.timeZone)
    if (local < start || opens === null) continue
    if (opens > last || found.length >= count || opens >= until) break
    found.push([opens, closesOf(local, opens, window)])
  }
  return found
}

/** Local times, as though they were UTC, in order. */
function* localStarts(rule: ReadonlyMap<string, string>, start: number, until: number): Generator<number> {
  const interval = Number(rule.get('INTERVAL') ?? 1)
  const time = start % dayMs
  const first = start - time
  const byDay = rule.get('BYDAY')?.split(',')
  const frequency = rule.get('FREQ')
  const monday = (day: number) => day - ((new Date(day).getUTCDay() + 6) % 7) * dayMs
  const monthOf = (day: number) => new Date(day).getUTCFullYear() * 12 + new Date(day).getUTCMonth()
  const setPosition = Number(rule.get('BYSETPOS') ?? 0)
  for (let day = first; day < until; day += dayMs) {
    const name = days[new Date(day).getUTCDay()] ?? ''
    const onDay = byDay === undefined || byDay.includes(name)
    if (frequency === 'DAILY') {
      if (onDay && ((day - first) / dayMs) % interval === 0) yield day + time
    } else if (frequency === 'WEEKLY') {
      const week = (monday(day) - monday(first)) / (7 * dayMs)
      const fits = byDay ? onDay : new Date(day).getUTCDay() === new Date(first).getUTCDay()
      if (fits && week % interval === 0) yield day + time
    } else if (frequency === 'MONTHLY') {
      if ((monthOf(day) - monthOf(first)) % interval !== 0) continue
      if (!byDay) {
        if (new Date(day).getUTCDate() === new Date(first).getUTCDate()) yield day + time
      } else if (onDay && positionIs(day, byDay, setPosition)) yield day + time
    }
  }
}

/** Whether a day is the n-th of the days of its month that a rule names; from the end where n is negative. */
function positionIs(day: number, byDay: readonly string[], position: number): boolean {
  if (position === 0) return true
  const date = new Date(day)
  const all: number[] = []
  for (let one = 1; one <= 31; one++) {
    const other = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), one)
    if (new Date(other).getUTCMonth() === date.getUTCMonth() && byDay.includes(days[new Date(other).getUTCDay()] ?? ''))
      all.push(other)
  }
  return all.at(position > 0 ? position - 1 : position) === day
}

function closesOf(local: number, opens: number, { duration, timeZone }: MaintenanceWindow): number {
  const count = Number(duration.slice(0, -1))
  if (duration.endsWith('m')) return opens + count * 60_000
  if (duration.endsWith('h')) return opens + count * 3_600_000
  const end = local + count * dayMs
  // A closing that does not exist comes as much later as the clocks skip.
  return instantOf(end, timeZone) ?? end - offsetAt(end - dayMs, timeZone)
}

/** The first instant at which the clocks of a zone show a local time; null when they never do. */
export function instantOf(local: number, timeZone: string): number | null {
  const offsets = [offsetAt(local - dayMs, timeZone), offsetAt(local + dayMs, timeZone)]
  const instants = offsets.map((offset) => local - offset).filter((at) => at + offsetAt(at, timeZone) === local)
  return instants.length > 0 ? Math.min(...instants) : null
}

const formats = new Map<string, Intl.DateTimeFormat>()
function offsetAt(at: number, timeZone: string): number {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' })
  formats.set(timeZone, format)
  const [, day, month, year, time] = /^(\d+)\/(\d+)\/(\d+), (.*)$/.exec(format.format(at)) ?? []
  return Date.parse(`${year}-${month}-${day}T${time}Z`) - at
}
