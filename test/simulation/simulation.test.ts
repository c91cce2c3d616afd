import { describe, expect, it } from 'vitest'
import { playSeed, tellFailure } from './story.ts'

/** From `npm run simulate`, a form that every run of the tests bears; the long one is in docs/reliability.md. */
const seeds = 24

describe('the whole system, simulated', () => {
  for (let from = 1; from <= seeds; from += 8) {
    it(`holds its invariants in seeds ${from} to ${from + 7}`, { timeout: 240_000 }, async () => {
      const failures: string[] = []
      for (let seed = from; seed < from + 8; seed++) {
        const outcome = await playSeed(seed)
        if (outcome.violation) failures.push(await tellFailure(seed, outcome))
      }
      expect(failures).toEqual([])
    })
  }

  it('plays a seed again exactly as it was', { timeout: 120_000 }, async () => {
    const first = await playSeed(7)
    const again = await playSeed(7)
    expect(first.steps).toBeGreaterThan(1_000)
    expect(again).toEqual(first)
    expect((await playSeed(8)).hash).not.toBe(first.hash)
  })
})
