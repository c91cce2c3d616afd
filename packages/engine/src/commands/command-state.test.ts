import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterAttempt } from './after-attempt.ts'
import {
  type CommandState,
  cancelled,
  claimed,
  finished,
  isOver,
  postponed,
  queued,
  renewed,
  swept,
} from './command-state.ts'
import { commandLimits } from './limits.ts'

const deadline = 60_000
const lease = 5_000

type Call =
  | { do: 'claim' | 'cancel' | 'sweep' }
  | { do: 'renew' | 'postpone' | 'succeed' | 'fail'; holder: number }
  | { do: 'wait'; ms: number }
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('claim' as const, 'claim', 'claim', 'cancel', 'sweep') }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('renew' as const, 'renew', 'postpone', 'succeed', 'fail'),
      holder: fc.nat(6),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 8_000 }) }) },
)

/** One command under any order of calls, late ones of earlier holders included. Answers what each call did. */
function play(calls: readonly Call[]) {
  let state = queued(deadline)
  let now = 0
  const holders: number[] = []
  const seen: { before: CommandState; after: CommandState; call: Call; now: number; took: boolean }[] = []
  for (const each of calls) {
    if (each.do === 'wait') {
      now += each.ms
      continue
    }
    const epoch = 'holder' in each ? (holders[each.holder % Math.max(1, holders.length)] ?? -1) : -1
    const next = {
      claim: () => claimed(state, 'm', lease, now),
      cancel: () => cancelled(state, now),
      sweep: () => swept(state, now),
      renew: () => renewed(state, epoch, now + lease),
      postpone: () => postponed(state, epoch, now + 1_000),
      succeed: () => finished(state, epoch, { status: 'succeeded' }, now),
      fail: () => finished(state, epoch, { status: 'failed', error: { code: 'E_X', message: 'x' } }, now),
    }[each.do]()
    if (each.do === 'claim' && next) holders.push(next.epoch)
    seen.push({ before: state, after: next ?? state, call: each, now, took: next !== null })
    state = next ?? state
  }
  return { state, now, seen }
}

const always = (holds: (played: ReturnType<typeof play>) => void) =>
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), (calls) => holds(play(calls))),
    { numRuns: 2_000 },
  )

describe('a command’s state, for any order of calls', () => {
  it('changes nothing after an end', () =>
    always(({ seen }) => {
      for (const { before, took } of seen) if (isOver(before.status)) expect(took).toBe(false)
    }))

  it('takes one answer, and only that of the newest holder', () =>
    always(({ seen }) => {
      const answers = seen.filter(({ call: { do: kind }, took }) => took && (kind === 'succeed' || kind === 'fail'))
      expect(answers.length).toBeLessThanOrEqual(1)
      for (const { before } of answers) expect(before.owner).not.toBeNull()
    }))

  it('only grows in attempts and epochs, one a claim', () =>
    always(({ seen }) => {
      for (const { before, after, call: each } of seen) {
        expect(after.attempt - before.attempt).toBe(each.do === 'claim' && after !== before ? 1 : 0)
        expect(after.epoch).toBeGreaterThanOrEqual(before.epoch)
      }
    }))

  it('has one holder at a time: none begins while a lease is good', () =>
    always(({ seen }) => {
      for (const { before, call: each, now, took } of seen) {
        if (each.do === 'claim' && before.owner !== null && (before.until ?? 0) > now) expect(took).toBe(false)
      }
    }))

  it('is over some seconds after its deadline, whatever happened, and no attempt begins after it', () =>
    always(({ state, now, seen }) => {
      for (const { call: each, took, now: at } of seen)
        if (each.do === 'claim' && took) expect(at).toBeLessThan(deadline)
      const later = Math.max(now, deadline) + commandLimits.expiryGraceMs
      expect(isOver((swept(state, later) ?? state).status)).toBe(true)
    }))

  it('that was to be cancelled ends so, or by the answer that was faster', () =>
    always(({ state, now }) => {
      const asked = cancelled(state, now) ?? state
      const end = swept(asked, now + lease + 1) ?? asked
      expect(isOver(end.status)).toBe(true)
      if (!isOver(state.status)) expect(end.status).toBe('cancelled')
    }))
})

describe('what follows an attempt', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const attempts = fc.integer({ min: 1, max: commandLimits.maxAttempts })
  const away = { kind: 'error', error: new Error('connection refused') } as const

  it('is another one after a bounded pause while it can’t be reached, and an end at the last', () => {
    fc.assert(
      fc.property(attempts, chance, (attempt, random) => {
        const next = afterAttempt(attempt, away, 1_000, random)
        if (attempt === commandLimits.maxAttempts) {
          expect(next).toMatchObject({ do: 'finish', outcome: { error: { code: 'E_COMMAND_UNREACHABLE' } } })
        } else if (next.do === 'postpone') {
          expect(next.until).toBeGreaterThanOrEqual(1_000)
          expect(next.until).toBeLessThanOrEqual(1_000 + commandLimits.backoffMaxMs)
        } else expect.fail(`it was ${next.do}`)
      }),
    )
  })

  it('is the end when the worker answered, whatever it answered', () => {
    const answer = fc.oneof(
      fc.record({ ok: fc.constant(true as const), output: fc.jsonValue() }),
      fc.record({ ok: fc.constant(false as const), error: fc.record({ code: fc.string(), message: fc.string() }) }),
    )
    fc.assert(
      fc.property(attempts, answer, chance, (attempt, given, random) => {
        const next = afterAttempt(attempt, { kind: 'answer', answer: given }, 0, random)
        expect(next.do === 'finish' && next.outcome.status).toBe(given.ok ? 'succeeded' : 'failed')
      }),
    )
  })

  it('is nothing when another holds it now, and nothing is spent when the runner stops', () => {
    expect(afterAttempt(1, { kind: 'ended', why: 'lost' }, 0, 0)).toEqual({ do: 'nothing' })
    expect(afterAttempt(1, { kind: 'ended', why: 'stopping' }, 7, 0.9)).toEqual({ do: 'postpone', until: 7 })
  })
})
