import { canonicalJson } from '@landfall/stack'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sameJson } from './same-json.ts'

/** Few keys and values, so that two of them are often the same or nearly. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(0, 1, 'a', null, true, undefined),
    fc.array(
      tie('value').map((one) => one ?? null),
      { maxLength: 3 },
    ),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value')),
  ),
}))

it('says that two values are the same where their canonical JSON is', () => {
  let same = 0
  fc.assert(
    fc.property(value, value, (one, other) => {
      const a = { of: one }
      const b = { of: other }
      const expected = canonicalJson(a) === canonicalJson(b)
      if (expected) same += 1
      expect(sameJson(a, b)).toBe(expected)
      expect(sameJson(a, JSON.parse(JSON.stringify(a)))).toBe(true)
    }),
    { numRuns: 500 },
  )
  expect(same).toBeGreaterThan(10)
})
