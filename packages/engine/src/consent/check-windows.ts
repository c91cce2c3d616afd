import { LandfallError, type MaintenanceWindow } from '@landfall/stack'
import { Temporal } from 'temporal-polyfill'
import { longestMs, WindowRule } from './window-rule.ts'

const parts = new Set(
  'FREQ INTERVAL COUNT UNTIL BYDAY BYMONTHDAY BYYEARDAY BYWEEKNO BYMONTH BYHOUR BYMINUTE BYSETPOS WKST'.split(' '),
)
const frequencies = new Set(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])
const maxInterval = 400
const maxCount = 1_000
/** Openings a day by BYHOUR and BYMINUTE. */
const maxADay = 6
const maxWindows = 20
const soonestMs = 50 * 366 * 86_400_000

/**
 * Refuses maintenance windows that can't be read, that never open, or that would cost too much to ask. To be called wherever
 * settings come in.
 *
 * @throws LandfallError E_WINDOW_INVALID, with one problem for each thing that is wrong
 */
export function checkWindows(windows: readonly MaintenanceWindow[]): void {
  const found = windows.flatMap((window, index) =>
    problemsOf(window).map((message) => ({ path: `windows[${index}]`, message })),
  )
  if (windows.length > maxWindows) found.push({ path: 'windows', message: `more than ${maxWindows} windows` })
  if (found.length === 0) return
  throw new LandfallError({
    code: 'E_WINDOW_INVALID',
    message: `A maintenance window can't be used: ${found.map(({ message }) => message).join('; ')}`,
    hint: 'Write one such as FREQ=WEEKLY;BYDAY=SA,SU with start 2026-01-03T02:00, duration 4h and timeZone Europe/Berlin.',
    problems: found,
  })
}

function problemsOf(window: MaintenanceWindow): string[] {
  const problems = ruleProblems(window.rrule)
  const zone = zoneProblem(window)
  if (zone) problems.push(zone)
  if (problems.length > 0) return problems
  try {
    const rule = new WindowRule(window)
    if (rule.lengthMs > longestMs) return ['duration is longer than a week']
    const start = Temporal.PlainDateTime.from(window.start).toZonedDateTime(window.timeZone).epochMilliseconds
    const first = rule.next(start - 1)
    if (first === null || first - start > soonestMs) return ['the rule never opens']
    // A rule with COUNT is walked from its beginning: to its end here, so that it is known to be possible.
    rule.between(start, start)
    rule.next(start + soonestMs)
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [
      /iterations|evaluations/i.test(message)
        ? 'the rule opens too rarely, or never'
        : `the rule can't be read: ${message}`,
    ]
  }
}

function ruleProblems(rrule: string): string[] {
  const problems: string[] = []
  const given = new Map<string, string>()
  for (const part of rrule.split(';')) {
    const [, name, value] = /^([A-Z]+)=([A-Z0-9,+-]+)$/.exec(part) ?? []
    if (!name || !value) problems.push(`"${part}" is not a part of a rule, such as FREQ=WEEKLY`)
    else if (!parts.has(name)) problems.push(`${name} can't be used here`)
    else if (given.has(name)) problems.push(`${name} is given twice`)
    else given.set(name, value)
  }
  const frequency = given.get('FREQ')
  if (!frequency) problems.push('FREQ is missing')
  else if (!frequencies.has(frequency)) {
    problems.push(`FREQ=${frequency} opens too often; write FREQ=DAILY with BYHOUR`)
  }
  atMost('INTERVAL', maxInterval)
  atMost('COUNT', maxCount)
  const aDay = (given.get('BYHOUR') ?? '0').split(',').length * (given.get('BYMINUTE') ?? '0').split(',').length
  if (aDay > maxADay) problems.push(`it opens ${aDay} times a day, more than ${maxADay}`)
  return problems

  function atMost(name: string, most: number): void {
    const value = given.get(name)
    if (value !== undefined && !(/^\d{1,9}$/.test(value) && Number(value) >= 1 && Number(value) <= most)) {
      problems.push(`${name} is not a number from 1 to ${most}`)
    }
  }
}

/** A start that the clocks skip would move every later opening. */
function zoneProblem({ start, timeZone }: MaintenanceWindow): string | null {
  if (!/^[A-Za-z]/.test(timeZone)) return `"${timeZone}" is not a time zone such as Europe/Berlin`
  let local: Temporal.PlainDateTime
  try {
    local = Temporal.PlainDateTime.from(start, { overflow: 'reject' })
  } catch {
    return `start ${start} is not a date and time that exist`
  }
  try {
    const there = local.toZonedDateTime(timeZone).toPlainDateTime()
    return there.equals(local) ? null : `start ${start} does not exist in ${timeZone}: the clocks skip it`
  } catch {
    return `"${timeZone}" is not a time zone such as Europe/Berlin`
  }
}
