import type { Clock } from '@landfall/engine'
import { describe, expect, it } from 'vitest'
import { Holds } from './holds.ts'

/** A clock whose sleepers wake when it is moved on. */
function clockBySteps() {
  let now = 1_000_100
  const sleepers = new Set<{ at: number; wake: () => void }>()
  const clock: Clock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          reject(signal.reason)
        })
      }),
  }
  return {
    clock,
    sleepers,
    advance: async (ms: number) => {
      now += ms
      for (const sleeper of sleepers) {
        if (sleeper.at > now) continue
        sleepers.delete(sleeper)
        sleeper.wake()
      }
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

/** Whether it is over already. */
async function isOver({ over }: { over: Promise<void> }): Promise<boolean> {
  return Promise.race([over.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))])
}

describe('waits', () => {
  it('end after their time and never before it, many by one timer', async () => {
    const { clock, sleepers, advance } = clockBySteps()
    const holds = new Holds(clock)
    const long = Array.from({ length: 1_000 }, () => holds.begin(50_000))
    const short = holds.begin(1)
    expect(sleepers.size).toBe(2)
    await advance(300)
    expect(await isOver(short)).toBe(true)
    await advance(49_699)
    for (const one of long.slice(0, 3)) expect(await isOver(one)).toBe(false)
    await advance(251)
    await Promise.all(long.map(({ over }) => over))
    expect(sleepers.size).toBe(0)
  })

  it('that are ended leave the others alone, and no timer behind', async () => {
    const { clock, sleepers, advance } = clockBySteps()
    const holds = new Holds(clock)
    const [first, second] = [holds.begin(1_000), holds.begin(1_000)]
    first.end()
    first.end()
    expect([await isOver(first), await isOver(second)]).toEqual([true, false])
    expect(sleepers.size).toBe(1)
    second.end()
    expect(await isOver(second)).toBe(true)
    expect(sleepers.size).toBe(0)
    // The same instant again has a timer of its own.
    const third = holds.begin(1_000)
    expect(await isOver(third)).toBe(false)
    await advance(1_250)
    expect(await isOver(third)).toBe(true)
  })
})
