import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { timeLeft } from './time-left.ts'

it('is what a timer can wait: a deadline in a month does not fire at once', async () => {
  expect([timeLeft(5, 2), timeLeft(2, 5)]).toEqual([3, 0])
  const month = AbortSignal.timeout(timeLeft(Date.now() + 30 * 86_400_000, Date.now()))
  await sleep(20)
  expect(month.aborted).toBe(false)
})
