import { describe, expect, test } from 'vitest'
import { openingInWords } from './opening-words.ts'
import { clockChange, durationMs, openingsOf } from './recurrence.ts'
import { daysInWords, formOf, weekdaysOf, windowInWords, windowOf } from './window-form.ts'

const nights = {
  rrule: 'FREQ=WEEKLY;BYDAY=SA,SU',
  start: '2026-01-03T02:30',
  duration: '4h',
  timeZone: 'Europe/Berlin',
}
const iso = (at: number) => new Date(at).toISOString()

describe('openings', () => {
  test('local time stays when the clocks change', () => {
    const found = openingsOf({ ...nights, start: '2026-01-03T05:00' }, Date.parse('2026-10-24T00:00:00Z'), 3)
    expect(found.map(({ from }) => iso(from))).toEqual([
      '2026-10-24T03:00:00.000Z',
      '2026-10-25T04:00:00.000Z',
      '2026-10-31T04:00:00.000Z',
    ])
  })

  test('the one that is open comes first, with its own end', () => {
    const [open] = openingsOf(nights, Date.parse('2026-01-10T03:00:00Z'), 1)
    expect(open && [iso(open.from), iso(open.to)]).toEqual(['2026-01-10T01:30:00.000Z', '2026-01-10T05:30:00.000Z'])
  })

  test('a rule that ends has no more', () => {
    expect(openingsOf({ ...nights, rrule: 'FREQ=DAILY;COUNT=2' }, Date.parse('2027-01-01T00:00:00Z'), 3)).toEqual([])
  })

  test.each([
    { ...nights, rrule: 'SOMETIMES' },
    { ...nights, timeZone: 'Mars/Olympus' },
    { ...nights, duration: '8d' },
    { ...nights, start: '2026-13-03T02:30' },
  ])('what can’t be read is refused: %o', (window) => {
    expect(() => openingsOf(window, 0, 1)).toThrow()
  })
})

test('a clock change that takes an opening away is told', () => {
  expect(clockChange(nights, Date.parse('2026-11-21T00:00:00Z'))).toEqual({
    at: Date.parse('2027-03-28T01:00:00Z'),
    skipped: Date.parse('2027-03-28T01:00:00Z'),
  })
  expect(clockChange({ ...nights, start: '2026-01-03T05:00' }, Date.parse('2026-11-21T00:00:00Z'))?.skipped).toBeNull()
  expect(
    clockChange({ ...nights, rrule: 'FREQ=WEEKLY;BYDAY=SA' }, Date.parse('2026-11-21T00:00:00Z'))?.skipped,
  ).toBeNull()
  expect(clockChange({ ...nights, timeZone: 'Asia/Tokyo' }, Date.parse('2026-11-21T00:00:00Z'))).toBeNull()
})

test('lengths', () => {
  expect(['90m', '4h', '7d', '8d', '0h', 'h'].map(durationMs)).toEqual([
    5_400_000,
    14_400_000,
    604_800_000,
    null,
    null,
    null,
  ])
})

test('a window goes into the form and comes back the same', () => {
  expect(windowOf(formOf(nights))).toEqual(nights)
  const own = { ...nights, rrule: 'FREQ=MONTHLY;BYDAY=-1SA' }
  expect(formOf(own).rule).toBe('FREQ=MONTHLY;BYDAY=-1SA')
  expect(windowOf(formOf(own))).toEqual(own)
})

test('words', () => {
  expect(windowInWords(nights)).toBe('Saturdays and Sundays at 02:30, for 4 hours')
  expect(windowInWords({ ...nights, rrule: 'FREQ=DAILY', duration: '90m' })).toBe('Every day at 02:30, for 90 minutes')
  expect(daysInWords(['MO', 'TU', 'WE', 'TH', 'FR'])).toBe('Monday to Friday')
  expect(weekdaysOf('FREQ=WEEKLY;INTERVAL=2;BYDAY=SA')).toBeNull()
  expect(weekdaysOf('FREQ=WEEKLY;BYDAY=1SA')).toBeNull()
})

test('an opening is said in a zone, with the year where it is another one', () => {
  const opening = { from: Date.parse('2026-12-31T21:30:00Z'), to: Date.parse('2027-01-01T01:30:00Z') }
  const now = Date.parse('2026-11-21T00:00:00Z')
  expect(openingInWords(opening, 'Europe/Berlin', now)).toBe('Thu 31 Dec, 22:30 to Fri, 1 Jan 2027, 02:30')
  expect(openingInWords({ from: now, to: now + 3_600_000 }, 'UTC', now)).toBe('Sat 21 Nov, 00:00 to 01:00')
})
