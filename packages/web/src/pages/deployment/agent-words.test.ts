import { expect, test } from 'vitest'
import { clockInWords, droppedInWords, isClockOff, waitingInWords } from './agent-words.ts'

test('a clock that is off is said, with the side it is off to', () => {
  expect([null, 180, 74_000, -86_400_000].map(clockInWords)).toEqual([
    'not compared yet',
    'right',
    '74 s ahead of the manager’s',
    '24 h behind the manager’s',
  ])
  expect([null, 180, 74_000, -86_400_000].map(isClockOff)).toEqual([false, false, true, true])
})

test('what waits and what was dropped', () => {
  expect(waitingInWords(0)).toBe('nothing waits to be sent')
  expect(waitingInWords(61_000_000)).toBe('61 MB wait to be sent')
  expect(droppedInWords({ reason: 'too-old', signal: 'logs', items: 18_422, bytes: 4_100_000 })).toBe(
    '18,422 logs (4.1 MB) dropped: too old',
  )
  expect(droppedInWords({ reason: 'age', signal: 'logs', items: 1, bytes: 10 })).toBe('1 log (10 B) dropped: age')
})
