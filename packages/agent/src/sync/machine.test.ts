import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffCapMs, initialSync, minGapMs, nextSync, type Poll, type SyncEvent, type SyncState } from './machine.ts'

const poll: Poll = { waitMs: 25_000, intervalMs: 30_000, jitterMs: 5_000 }
const polls = fc.record({
  waitMs: fc.integer({ min: 0, max: 200_000 }),
  intervalMs: fc.integer({ min: 0, max: 120_000 }),
  jitterMs: fc.integer({ min: 0, max: 30_000 }),
})
const events: fc.Arbitrary<SyncEvent> = fc.oneof(
  fc.record({ kind: fc.constant('started' as const), enrolled: fc.boolean() }),
  fc.constant({ kind: 'enrolled' as const }),
  fc.record({ kind: fc.constant('session-began' as const), poll: polls }),
  fc.record({
    kind: fc.constant('answered' as const),
    heldMs: fc.integer({ min: 0, max: 200_000 }),
    news: fc.boolean(),
    poll: polls,
  }),
  fc.record({ kind: fc.constant('cut' as const), heldMs: fc.integer({ min: 0, max: 120_000 }) }),
  fc.constant({ kind: 'failed' as const }),
  fc.constant({ kind: 'session-ended' as const }),
  fc.constant({ kind: 'refused' as const }),
)
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** Runs requests against a manager of one character for an hour; answers how many there were, and how it ended. */
function hour(answer: (state: SyncState) => { event: SyncEvent; tookMs: number }, from = initialSync) {
  let state = nextSync(from, { kind: 'started', enrolled: true }, 0)
  let [at, requests] = [0, 0]
  while (at < 3_600_000) {
    const { event, tookMs } = answer(state)
    at += state.delayMs + tookMs
    requests += 1
    state = nextSync(state, event, 0)
  }
  return { state, requests }
}
const began = { event: { kind: 'session-began', poll } as SyncEvent, tookMs: 1 }
const answer = (heldMs: number, news = false) => ({
  event: { kind: 'answered', heldMs, news, poll } as SyncEvent,
  tookMs: heldMs,
})

describe('the sync machine', () => {
  it('never asks in a tight loop and never waits longer than it may, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(events, random), { maxLength: 60 }), (steps) => {
        let state = initialSync
        for (const [event, chance] of steps) {
          const before = state
          state = nextSync(state, event, chance)
          expect(state.delayMs).toBeGreaterThanOrEqual(minGapMs)
          expect(Number.isFinite(state.delayMs)).toBe(true)
          expect(state.waitMs).toBeLessThanOrEqual(Math.min(120_000, state.poll.waitMs))
          expect(state.waitMs % 1_000).toBe(0)
          if (state.step !== 'sync') expect(state.waitMs).toBe(0)
          if (event.kind === 'failed') {
            expect(state.delayMs).toBeLessThanOrEqual(backoffCapMs)
            expect(state.step).toBe(before.step)
          }
          if (event.kind === 'refused') {
            expect(state.phase).toBe('refused')
            expect(state.delayMs).toBeGreaterThanOrEqual(150_000)
            expect(state.delayMs).toBeLessThanOrEqual(1_800_000)
          }
          if (state.phase === 'waiting' && event.kind === 'answered') expect(state.waitMs).toBeGreaterThan(0)
        }
      }),
    )
  })

  it('comes to waiting from anywhere, once the manager answers and holds', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(events, random), { maxLength: 40 }), (steps) => {
        const start = steps.reduce((state, [event, chance]) => nextSync(state, event, chance), initialSync)
        const { state } = hour((now) => {
          if (now.step === 'enrol') return { event: { kind: 'enrolled' }, tookMs: 1 }
          return now.step === 'session' ? began : answer(now.waitMs)
        }, start)
        expect(state.phase === 'waiting' || state.pollsLeft > 0).toBe(true)
        const later = hour((now) => (now.step === 'session' ? began : answer(now.waitMs)), state)
        const much = hour((now) => (now.step === 'session' ? began : answer(now.waitMs)), later.state)
        expect(much.state.phase).toBe('waiting')
      }),
      { numRuns: 50 },
    )
  })

  it('asks about once per hold where waiting works', () => {
    const { state, requests } = hour((now) => (now.step === 'session' ? began : answer(now.waitMs)))
    expect(state).toMatchObject({ phase: 'waiting', waitMs: 25_000 })
    expect(requests).toBeLessThan(150)
  })

  it('polls where held requests are cut off, and tries waiting again now and then', () => {
    let held = 0
    const cutting = (now: SyncState) => {
      if (now.step === 'session') return began
      if (now.waitMs === 0) return answer(5)
      held += 1
      return { event: { kind: 'cut', heldMs: 1_000 } as SyncEvent, tookMs: 1_000 }
    }
    const { state, requests } = hour(cutting)
    expect(state.phase).toBe('polling')
    expect(requests).toBeLessThan(150)
    expect(held).toBeGreaterThan(2)
    expect(held).toBeLessThan(10)
  })

  it('asks to be held for less where a proxy cuts late', () => {
    const proxy = (now: SyncState) => {
      if (now.step === 'session') return began
      return now.waitMs > 20_000
        ? { event: { kind: 'cut', heldMs: 20_000 } as SyncEvent, tookMs: 20_000 }
        : answer(now.waitMs)
    }
    expect(hour(proxy).state).toMatchObject({ phase: 'waiting', waitMs: 16_000 })
  })

  it('polls where a hold is answered early with nothing', () => {
    const { state, requests } = hour((now) => (now.step === 'session' ? began : answer(3)))
    expect(state.phase).toBe('polling')
    expect(requests).toBeLessThan(150)
  })

  it('takes a cut for an outage where the next request fails too, and goes on waiting after it', () => {
    let state = hour((now) => (now.step === 'session' ? began : answer(now.waitMs))).state
    state = nextSync(state, { kind: 'cut', heldMs: 9_000 }, 0.5)
    expect(state.waitMs).toBe(0)
    state = nextSync(state, { kind: 'failed' }, 0.5)
    expect(state.phase).toBe('offline')
    state = nextSync(state, { kind: 'answered', heldMs: 5, news: false, poll }, 0.5)
    expect(state).toMatchObject({ phase: 'waiting', cuts: 0, waitMs: 25_000 })
  })

  it('slows down with each failure, and a session that never holds is one', () => {
    for (const kind of ['failed', 'session-ended'] as const) {
      let state = nextSync(initialSync, { kind: 'started', enrolled: true }, 0)
      const delays = Array.from({ length: 12 }, () => {
        state = nextSync(state, { kind }, 0.999)
        return state.delayMs
      })
      expect(delays).toEqual([...delays].sort((a, b) => a - b))
      expect(delays.at(-1)).toBeGreaterThan(50_000)
    }
  })
})
