import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Shares } from './shares.ts'

const weights = fc
  .array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 })
  .map((list) => Object.fromEntries(list.map((weight, index) => [`v${index}`, weight])))

test('from the start, at every moment, each version has its share to within its number of peers', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 500 }), (asked, count) => {
      const shares = new Shares()
      shares.set(asked)
      const total = Object.values(asked).reduce((sum, weight) => sum + weight, 0)
      const seen: Record<string, number> = {}
      for (let n = 1; n <= count; n++) {
        const key = shares.next(() => true) ?? ''
        seen[key] = (seen[key] ?? 0) + 1
        for (const [each, weight] of Object.entries(asked)) {
          expect(Math.abs((seen[each] ?? 0) - (n * weight) / total)).toBeLessThan(Object.keys(asked).length)
        }
      }
    }),
  )
})

test('what is not usable serves nothing, and the others take its share in their proportion', () => {
  const shares = new Shares()
  shares.set({ a: 60, b: 20, c: 20, d: 0 })
  const usable = (key: string) => key !== 'a'
  const seen: Record<string, number> = {}
  for (let n = 0; n < 100; n++) {
    const key = shares.next(usable) ?? ''
    seen[key] = (seen[key] ?? 0) + 1
  }
  expect(seen).toEqual({ b: 50, c: 50 })
  expect(shares.effective(usable)).toEqual({ b: 50, c: 50 })
  expect(shares.next(() => false)).toBeNull()
  expect(shares.effective(() => false)).toEqual({})
})
