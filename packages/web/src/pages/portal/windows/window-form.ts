import type { MaintenanceWindow } from '../../../api/types.ts'
import { listed } from '../../../format/words.ts'

export const weekdays = [
  { code: 'MO', name: 'Monday' },
  { code: 'TU', name: 'Tuesday' },
  { code: 'WE', name: 'Wednesday' },
  { code: 'TH', name: 'Thursday' },
  { code: 'FR', name: 'Friday' },
  { code: 'SA', name: 'Saturday' },
  { code: 'SU', name: 'Sunday' },
] as const
export type Weekday = (typeof weekdays)[number]['code']

/** A window as a person edits it. */
export interface WindowForm {
  days: readonly Weekday[]
  /** Local time: `02:00`. */
  time: string
  length: string
  unit: 'm' | 'h' | 'd'
  timeZone: string
  /** First day, local: what `INTERVAL` counts from. */
  from: string
  /** A rule of one's own (RFC 5545) in place of weekdays; null: by weekdays. */
  rule: string | null
}

const units = { m: 'minute', h: 'hour', d: 'day' } as const

/** What a new window begins with: Sunday before dawn, after the hour that a change of the clocks takes away, where the viewer is. */
export const emptyForm = (timeZone: string, today: string): WindowForm => ({
  days: ['SU'],
  time: '04:00',
  length: '4',
  unit: 'h',
  timeZone,
  from: today,
  rule: null,
})

/** The weekdays of a rule that holds nothing else; null for any other rule. */
export function weekdaysOf(rrule: string): Weekday[] | null {
  const given = /^FREQ=(?:WEEKLY;BYDAY=([A-Z,]+)|DAILY)$/.exec(rrule.replace(/^RRULE:/i, ''))
  if (!given) return null
  if (given[1] === undefined) return weekdays.map(({ code }) => code)
  const codes = given[1].split(',')
  const known = weekdays.filter(({ code }) => codes.includes(code)).map(({ code }) => code)
  return known.length === codes.length ? known : null
}

export function formOf(window: MaintenanceWindow): WindowForm {
  const days = weekdaysOf(window.rrule)
  return {
    days: days ?? [],
    time: window.start.slice(11),
    length: window.duration.slice(0, -1),
    unit: window.duration.slice(-1) as WindowForm['unit'],
    timeZone: window.timeZone,
    from: window.start.slice(0, 10),
    rule: days ? null : window.rrule,
  }
}

/** The window that the form means; whether it is one is said by its openings, and by the manager. */
export function windowOf(form: WindowForm): MaintenanceWindow {
  return {
    rrule:
      form.rule
        ?.trim()
        .toUpperCase()
        .replace(/^RRULE:/, '') ?? `FREQ=WEEKLY;BYDAY=${form.days.join(',')}`,
    start: `${form.from}T${form.time}`,
    duration: `${form.length.trim()}${form.unit}`,
    timeZone: form.timeZone.trim(),
  }
}

/** `Saturdays and Sundays`, `Every day`, `Monday to Friday`. */
export function daysInWords(days: readonly Weekday[]): string {
  const names = weekdays.filter(({ code }) => days.includes(code)).map(({ name }) => `${name}s`)
  if (names.length === 7) return 'Every day'
  if (names.length === 5 && !days.includes('SA') && !days.includes('SU')) return 'Monday to Friday'
  return listed(names)
}

/** `4 hours`, `90 minutes`. */
export function durationInWords(duration: string): string {
  const count = Number(duration.slice(0, -1))
  const unit = units[duration.slice(-1) as keyof typeof units] ?? ''
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** `Sundays at 02:00, for 4 hours`; `rule` says what a rule of one's own means. */
export function windowInWords(window: MaintenanceWindow, rule = window.rrule): string {
  const days = weekdaysOf(window.rrule)
  const when = days ? daysInWords(days) : rule.charAt(0).toUpperCase() + rule.slice(1)
  return `${when} at ${window.start.slice(11)}, for ${durationInWords(window.duration)}`
}
