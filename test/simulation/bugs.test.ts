import { describe, expect, it } from 'vitest'
import { type Bug, bugs } from './bug-list.ts'
import { playSeed, tellFailure } from './story.ts'
import type { Violation } from './watch.ts'

const isFound = (bug: Bug, violation: Violation | null) =>
  violation !== null && (bug.invariant === undefined || violation.invariant === bug.invariant)

/** The seed that found a bug last; where the world has changed since, those from 1 on are searched. */
async function find(bug: (typeof bugs)[number]): Promise<number | null> {
  for (const seed of [bug.seed, ...Array.from({ length: bug.within }, (_, index) => index + 1)])
    if (isFound(bug, (await playSeed(seed, bug)).violation)) return seed
  return null
}

describe('deliberate bugs', () => {
  it('are at least twenty', () => {
    expect(bugs.length).toBeGreaterThanOrEqual(20)
    expect(new Set(bugs.map(({ name }) => name)).size).toBe(bugs.length)
  })

  for (const bug of bugs) {
    it(`${bug.name}: ${bug.breaks}`, { timeout: 240_000 }, async () => {
      expect(await find(bug), `not found within ${bug.within} seeds`).not.toBeNull()
    })
  }

  it('are told as a short list of events with the command that plays it again', { timeout: 240_000 }, async () => {
    const bug = bugs.find(({ name }) => name === 'bake-skipped')
    if (!bug) throw new Error('no such bug')
    const told = await tellFailure(bug.seed, await playSeed(bug.seed, bug), bug)
    expect(told).toContain('bakes are held')
    expect(told).toContain(`npm run simulate -- --seeds 1 --from ${bug.seed} --bug bake-skipped`)
    expect(told.split('\n').length).toBeLessThan(9)
  })
})
