import { expect, test } from 'vitest'
import { linePath, scale, ticks, timeTicks } from './scale.ts'

test('a scale maps both ends, also of nothing', () => {
  const y = scale(-1, 1, 200, 0)
  expect([y(-1), y(0), y(1)]).toEqual([200, 100, 0])
  expect(scale(5, 5, 0, 10)(5)).toBe(0)
})

test('ticks are round, inside, and about as many as asked', () => {
  expect(ticks(-0.013, 0.042, 4)).toEqual([0, 0.02, 0.04])
  expect(ticks(0, 97, 4)).toEqual([0, 50])
  for (const [from, to] of [
    [0, 1e-7],
    [-3, 12_345],
    [7, 7.5],
  ] as const) {
    const found = ticks(from, to, 5)
    expect(found.length).toBeGreaterThan(1)
    expect(found.length).toBeLessThanOrEqual(7)
    expect(found.every((tick) => tick >= from - 1e-12 && tick <= to * (1 + 1e-6))).toBe(true)
  }
})

test('instants are round in their own unit', () => {
  const found = timeTicks(1_000_000, 1_600_000, 4)
  expect(found.seconds).toBe(false)
  expect(found.at.every((at) => at % 60_000 === 0)).toBe(true)
  expect(timeTicks(0, 20_000, 5).seconds).toBe(true)
})

test('a gap interrupts the line', () => {
  expect(
    linePath([
      [0, 1],
      [1, null],
      [2, 3],
      [3, 4],
    ]),
  ).toBe('M0.0 1.0M2.0 3.0L3.0 4.0')
})
