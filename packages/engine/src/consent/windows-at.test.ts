import type { MaintenanceWindow } from '@landfall/stack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantOf, openingsOf } from '../testing/window-oracle.ts'
import { checkWindows } from './check-windows.ts'
import { windowsAt } from './windows-at.ts'

const dayMs = 86_400_000
const window = (rrule: string, start: string, duration: string, timeZone = 'Europe/Berlin'): MaintenanceWindow => ({
  rrule,
  start,
  duration,
  timeZone,
})
const at = (text: string) => Date.parse(text)
const when = (time: number | null) => (time === null ? null : new Date(time).toISOString().replace('.000', ''))
function ask(windows: MaintenanceWindow[], time: string) {
  const { open, changesAt } = windowsAt(windows, at(time))
  return [open, when(changesAt)]
}

/** What the slow way says: whether one is open, and when that changes within two months. */
function slowly(windows: readonly MaintenanceWindow[], now: number, until: number) {
  const all = windows.flatMap((one) => openingsOf(one, until)).sort((a, b) => a[0] - b[0])
  const open = (time: number) => windows.length === 0 || all.some(([opens, closes]) => opens <= time && time < closes)
  const edges = all
    .flat()
    .filter((edge) => edge > now && edge < until)
    .sort((a, b) => a - b)
  return { open: open(now), changesAt: edges.find((edge) => open(edge) !== open(now)) ?? null }
}

describe('without a window', () => {
  it('is always open', () => expect(windowsAt([], 0)).toEqual({ open: true, changesAt: null }))
})

describe('where the clocks change', () => {
  const night = window('FREQ=DAILY', '2026-01-01T02:30', '1h')

  it('Berlin, spring: 02:30 does not exist on the 29th of March and is left out', () => {
    expect(ask([night], '2026-03-28T01:29:59Z')).toEqual([false, '2026-03-28T01:30:00Z'])
    expect(ask([night], '2026-03-28T02:30:00Z')).toEqual([false, '2026-03-30T00:30:00Z'])
    expect(ask([night], '2026-03-29T01:30:00Z')).toEqual([false, '2026-03-30T00:30:00Z'])
  })

  it('Berlin, autumn: 02:30 comes twice on the 25th of October, and opens at the first alone', () => {
    expect(ask([night], '2026-10-25T00:30:00Z')).toEqual([true, '2026-10-25T01:30:00Z'])
    expect(ask([night], '2026-10-25T01:30:00Z')).toEqual([false, '2026-10-26T01:30:00Z'])
  })

  it('New York: a window that spans the change lasts its hours', () => {
    const saturday = window('FREQ=WEEKLY;BYDAY=SA', '2026-01-03T23:00', '6h', 'America/New_York')
    // From 23:00 EST, 04:00Z; the clocks go forward at 07:00Z: it closes at 06:00 EDT.
    expect(ask([saturday], '2026-03-08T09:59:59Z')).toEqual([true, '2026-03-08T10:00:00Z'])
    // From 23:00 EDT, 03:00Z; the clocks go back at 06:00Z: it closes at 04:00 EST.
    expect(ask([saturday], '2026-11-01T03:00:00Z')).toEqual([true, '2026-11-01T09:00:00Z'])
    expect(ask([saturday], '2026-11-01T09:00:00Z')).toEqual([false, '2026-11-08T04:00:00Z'])
  })

  it('New York: a window of a day ends at the same time of day', () => {
    const sunday = window('FREQ=WEEKLY;BYDAY=SU', '2026-01-04T00:00', '1d', 'America/New_York')
    expect(ask([sunday], '2026-03-08T05:00:00Z')).toEqual([true, '2026-03-09T04:00:00Z'])
    expect(ask([sunday], '2026-11-01T04:00:00Z')).toEqual([true, '2026-11-02T05:00:00Z'])
  })

  it('Lord Howe: half an hour is skipped, and half an hour comes twice', () => {
    const early = window('FREQ=DAILY', '2026-01-01T02:15', '30m', 'Australia/Lord_Howe')
    expect(ask([early], '2026-10-03T15:45:00Z')).toEqual([false, '2026-10-04T15:15:00Z'])
    const late = window('FREQ=DAILY', '2026-01-01T01:45', '30m', 'Australia/Lord_Howe')
    // At 02:00 of +11:00 the clocks go back to 01:30: 01:45 is at 14:45Z and again at 15:15Z.
    expect(ask([late], '2026-04-04T14:45:00Z')).toEqual([true, '2026-04-04T15:15:00Z'])
    expect(ask([late], '2026-04-04T15:15:00Z')).toEqual([false, '2026-04-05T15:15:00Z'])
  })
})

describe('recurrence', () => {
  it('ends with COUNT and with UNTIL', () => {
    const twice = window('FREQ=DAILY;COUNT=2', '2026-01-01T02:00', '1h', 'UTC')
    expect(ask([twice], '2026-01-02T02:30:00Z')).toEqual([true, '2026-01-02T03:00:00Z'])
    expect(ask([twice], '2026-01-02T03:00:00Z')).toEqual([false, null])
    const until = window('FREQ=DAILY;UNTIL=20260103T020000Z', '2026-01-01T02:00', '1h', 'UTC')
    expect(ask([until], '2026-01-03T02:00:00Z')).toEqual([true, '2026-01-03T03:00:00Z'])
    expect(ask([until], '2026-01-03T03:00:00Z')).toEqual([false, null])
  })

  it('the last Saturday of a month, by position', () => {
    const last = window('FREQ=MONTHLY;BYDAY=SA;BYSETPOS=-1', '2026-01-01T02:00', '2h', 'UTC')
    expect(ask([last], '2026-11-21T02:00:00Z')).toEqual([false, '2026-11-28T02:00:00Z'])
    expect(ask([last], '2026-11-28T03:59:59Z')).toEqual([true, '2026-11-28T04:00:00Z'])
  })

  it('names the next opening years ahead', () => {
    const leap = window('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '2024-02-29T02:00', '2h', 'UTC')
    expect(ask([leap], '2024-03-01T00:00:00Z')).toEqual([false, '2028-02-29T02:00:00Z'])
  })

  it('one longer than its interval never closes', () => {
    expect(ask([window('FREQ=DAILY', '2026-01-01T02:00', '36h')], '2026-06-01T00:00:00Z')).toEqual([true, null])
  })

  it('those that overlap or touch are one', () => {
    const [a, b] = [
      window('FREQ=DAILY', '2026-01-01T02:00', '2h', 'UTC'),
      window('FREQ=DAILY', '2026-01-01T04:00', '1h', 'UTC'),
    ]
    expect(ask([b, a], '2026-01-05T02:00:00Z')).toEqual([true, '2026-01-05T05:00:00Z'])
  })

  it('one that cannot be read never opens', () => {
    expect(windowsAt([window('FREQ=NEVER', '2026-01-01T02:00', '1h')], 0)).toEqual({ open: false, changesAt: null })
  })
})

/** Any window that people could mean, near both changes of the year. */
const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC')
const someDays = fc.subarray(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'], { minLength: 1 })
const rule = fc
  .tuple(
    fc.oneof(
      fc.constant('FREQ=DAILY'),
      someDays.map((days) => `FREQ=DAILY;BYDAY=${days}`),
      fc.constant('FREQ=WEEKLY'),
      someDays.map((days) => `FREQ=WEEKLY;BYDAY=${days}`),
      fc.tuple(someDays, fc.constantFrom(1, 2, -1)).map(([days, at]) => `FREQ=MONTHLY;BYDAY=${days};BYSETPOS=${at}`),
      someDays.map((days) => `FREQ=MONTHLY;BYDAY=${days}`),
      fc.constant('FREQ=MONTHLY'),
    ),
    fc.integer({ min: 1, max: 3 }),
    fc.oneof(
      fc.constant(''),
      fc.integer({ min: 1, max: 12 }).map((count) => `;COUNT=${count}`),
      fc
        .integer({ min: 0, max: 250 * 24 })
        .map((hours) => `;UNTIL=${stamp(at('2026-02-01T00:00Z') + hours * 3_600_000)}`),
    ),
  )
  .map(([base, interval, end]) => `${base};INTERVAL=${interval}${end}`)
const stamp = (time: number) => new Date(time).toISOString().replace(/[-:]|\.000/g, '')
const start = fc
  .tuple(fc.integer({ min: 0, max: 300 }), fc.constantFrom(0, 90, 105, 120, 135, 150, 165, 180, 600, 1_410))
  .map(([day, minutes]) =>
    new Date(at('2026-01-20T00:00Z') + day * dayMs + minutes * 60_000).toISOString().slice(0, 16),
  )
const anyWindow = fc
  .record({
    rrule: rule,
    start,
    duration: fc.constantFrom('15m', '45m', '1h', '4h', '30h', '1d', '2d', '7d'),
    timeZone: zone,
  })
  // A start that does not exist is refused.
  .filter((one) => instantOf(at(`${one.start}Z`), one.timeZone) !== null)
const instant = fc.oneof(
  fc.integer({ min: 0, max: 320 * 96 }).map((quarters) => at('2026-01-15T00:00Z') + quarters * 900_000),
  fc
    .tuple(
      fc.constantFrom(
        '2026-03-29T01:00Z',
        '2026-10-25T01:00Z',
        '2026-03-08T07:00Z',
        '2026-11-01T06:00Z',
        '2026-04-04T15:00Z',
        '2026-10-03T15:30Z',
      ),
      fc.integer({ min: -2_880, max: 2_880 }),
    )
    .map(([change, minutes]) => at(change) + minutes * 60_000),
)

describe('against the slow way', () => {
  it('says the same of any windows at any time, and at each change it names', () => {
    fc.assert(
      fc.property(fc.array(anyWindow, { minLength: 1, maxLength: 3 }), instant, (windows, now) => {
        const fast = windowsAt(windows, now)
        const slow = slowly(windows, now, now + 70 * dayMs)
        expect(fast.open).toBe(slow.open)
        const near = (time: number | null) => (time !== null && time < now + 60 * dayMs ? when(time) : null)
        expect(near(fast.changesAt)).toBe(near(slow.changesAt))
        if (fast.changesAt !== null) {
          expect(windowsAt(windows, fast.changesAt).open).toBe(!fast.open)
          expect(windowsAt(windows, fast.changesAt - 1).open).toBe(fast.open)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('takes every window that people could mean', () => {
    fc.assert(
      fc.property(anyWindow, (one) => {
        const opens =
          openingsOf({ ...one, rrule: one.rrule.replace(/;COUNT=.*/, '') }, at('2030-01-01T00:00Z')).length > 0
        if (opens) expect(() => checkWindows([one])).not.toThrow()
        else expect(() => checkWindows([one])).toThrow('never')
      }),
      { numRuns: 100 },
    )
  })
})
