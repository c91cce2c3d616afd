import { expect, test } from 'vitest'
import { lengthOfTime, relativeTime } from './time.ts'

const now = Date.parse('2026-11-21T12:00:00Z')

test.each([
  [now - 4_000, 'just now'],
  [now + 4_000, 'just now'],
  [now - 45_000, '45 sec. ago'],
  [now - 119_000, '1 min. ago'],
  [now - 26 * 60_000, '26 min. ago'],
  [now - 3 * 86_400_000, '3 days ago'],
  [now - 13 * 86_400_000, '13 days ago'],
  [now - 22 * 86_400_000, '3 wk. ago'],
  [now + 2 * 3_600_000, 'in 2 hr.'],
])('relativeTime(%d) is %s', (at, said) => expect(relativeTime(at, now)).toBe(said))

test.each([
  [850, '850 ms'],
  [4_200, '4.2 s'],
  [180_000, '3 min'],
  [7_200_000, '2 h'],
  [259_200_000, '3 days'],
])('lengthOfTime(%d) is %s', (ms, said) => expect(lengthOfTime(ms)).toBe(said))
