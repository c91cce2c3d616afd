import { LandfallError, type MaintenanceWindow } from '@landfall/stack'
import { describe, expect, it } from 'vitest'
import { checkWindows } from './check-windows.ts'
import { windowsAt } from './windows-at.ts'

const base = { rrule: 'FREQ=DAILY', start: '2026-01-03T02:00', duration: '4h', timeZone: 'Europe/Berlin' }

function refusal(patch: Partial<MaintenanceWindow>): string {
  try {
    checkWindows([base, { ...base, ...patch }])
  } catch (error) {
    if (!LandfallError.is(error, 'E_WINDOW_INVALID')) throw error
    expect(error.problems.map(({ path }) => path)).toContain('windows[1]')
    return error.message
  }
  return 'taken'
}

describe('checkWindows', () => {
  it.each([
    'FREQ=WEEKLY;BYDAY=SA,SU',
    'FREQ=MONTHLY;BYDAY=1SU',
    'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29',
    'FREQ=DAILY;BYHOUR=2,8,14,20;COUNT=1000',
    'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO',
    'FREQ=DAILY;UNTIL=20300101T000000Z',
  ])('takes %s', (rrule) => expect(refusal({ rrule })).toBe('taken'))

  it.each([
    ['FREQ=SECONDLY', 'opens too often'],
    ['FREQ=MINUTELY;INTERVAL=5', 'opens too often'],
    ['FREQ=HOURLY', 'BYHOUR'],
    ['FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6', '7 times a day'],
    ['FREQ=DAILY;BYSECOND=1,2,3', "BYSECOND can't be used"],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', 'never'],
    ['FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31', 'never'],
    ['FREQ=DAILY;UNTIL=20200101T000000Z', 'never opens'],
    ['FREQ=YEARLY;INTERVAL=100000', 'INTERVAL is not a number from 1 to 400'],
    ['FREQ=DAILY;INTERVAL=0', 'INTERVAL'],
    ['FREQ=DAILY;COUNT=1000000', 'COUNT'],
    ['FREQ=DAILY;FREQ=WEEKLY', 'twice'],
    ['BYDAY=SA', 'FREQ is missing'],
    ['FREQ=WEEKLY;BYDAY=XX', "can't be read"],
    ['FREQ=DAILY;UNTIL=20300101', "can't be read"],
    ['RSCALE=HEBREW;FREQ=YEARLY', 'RSCALE'],
    ['DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY', 'is not a part of a rule'],
    ['', 'is not a part of a rule'],
  ])('refuses %s', (rrule, why) => {
    expect(refusal({ rrule })).toContain(why)
  })

  it.each([
    [{ timeZone: 'Europe/Atlantis' }, 'not a time zone'],
    [{ timeZone: '+02:00' }, 'not a time zone'],
    [{ start: '2026-02-30T02:00' }, 'not a date and time'],
    [{ start: '2026-01-01T25:00' }, 'not a date and time'],
    [{ start: '2026-03-29T02:30' }, 'the clocks skip it'],
    [{ duration: '8d' }, 'longer than a week'],
    [{ duration: '99999h' }, 'longer than a week'],
  ])('refuses %j', (patch, why) => expect(refusal(patch)).toContain(why))

  it('what it refuses costs a bounded number of steps all the same', () => {
    // Would run for minutes were they walked: the library's own bounds end them, and nothing opens.
    for (const rrule of ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', 'FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30']) {
      expect(windowsAt([{ ...base, rrule }], Date.UTC(2026, 5, 1))).toEqual({ open: false, changesAt: null })
    }
  })
})
