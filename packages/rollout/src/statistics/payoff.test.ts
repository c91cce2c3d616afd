import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shareOfEvents, thinnedContrast } from './payoff.ts'

const logFactorial = (n: number): number => {
  let sum = 0
  for (let each = 2; each <= n; each++) sum += Math.log(each)
  return sum
}
const logChoose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k)

/** Every way in which `events` fall on the two versions if nothing distinguishes requests, with its probability. */
function outcomes(stable: number, candidate: number, events: number) {
  const all = []
  for (let x = Math.max(0, events - stable); x <= Math.min(events, candidate); x++) {
    const log = logChoose(candidate, x) + logChoose(stable, events - x) - logChoose(stable + candidate, events)
    all.push({ p: Math.exp(log), stable: { n: stable, x: events - x }, candidate: { n: candidate, x } })
  }
  return all
}

const sizes = fc.record({
  stable: fc.integer({ min: 1, max: 60 }),
  candidate: fc.integer({ min: 1, max: 60 }),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('both payoffs are 0 in the mean, exactly, when nothing distinguishes the versions', () => {
  fc.assert(
    fc.property(sizes, ({ stable, candidate, part }) => {
      const events = Math.round(part * (stable + candidate))
      for (const payoff of [shareOfEvents, thinnedContrast]) {
        const mean = outcomes(stable, candidate, events).reduce(
          (sum, each) => sum + each.p * payoff(each.stable, each.candidate),
          0,
        )
        expect(Math.abs(mean)).toBeLessThan(1e-9)
      }
    }),
  )
})

test('payoffs are never below -1, so that capital never becomes negative', () => {
  fc.assert(
    fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), ({ stable, candidate, part }, other) => {
      const a = { n: stable, x: Math.round(part * stable) }
      const b = { n: candidate, x: Math.round(other * candidate) }
      expect(shareOfEvents(a, b)).toBeGreaterThanOrEqual(-1 - 1e-12)
      expect(thinnedContrast(a, b)).toBeGreaterThanOrEqual(-1 - 1e-12)
      expect(thinnedContrast(a, b)).toBeLessThanOrEqual(1 + 1e-12)
    }),
  )
})

test('more errors of the candidate pay more', () => {
  fc.assert(
    fc.property(sizes, ({ stable, candidate, part }) => {
      const a = { n: stable, x: Math.round(part * stable) }
      for (let x = 1; x <= candidate; x++) {
        expect(shareOfEvents(a, { n: candidate, x })).toBeGreaterThanOrEqual(
          shareOfEvents(a, { n: candidate, x: x - 1 }) - 1e-12,
        )
        expect(thinnedContrast(a, { n: candidate, x })).toBeGreaterThanOrEqual(
          thinnedContrast(a, { n: candidate, x: x - 1 }) - 1e-12,
        )
      }
    }),
  )
})
