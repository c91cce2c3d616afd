import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CommandStore, HeldCommand } from '../commands/command-port.ts'
import {
  type CommandState,
  cancelled,
  claimed,
  finished,
  isDue,
  isOver,
  postponed,
  queued,
  renewed,
  swept,
} from '../commands/command-state.ts'

/** A store under test. Its clock moves only by `advance`. */
export interface CommandHarness {
  store: CommandStore
  now(): number
  advance(ms: number): Promise<void> | void
  /** Queues a command under a key; the same key again finds the first. Answers the id. */
  queue(key: string, deadline: number): Promise<string> | string
  cancel(id: string): Promise<void> | void
  /** Ends what is past its deadline. */
  sweep(): Promise<unknown> | unknown
  look(id: string): Promise<Seen> | Seen
  /** All that was written, in order. */
  output(id: string): Promise<string> | string
}
type Seen = Pick<CommandState, 'status' | 'attempt'> & { error: string | null; result: unknown }

const lease = 5_000
const keys = ['a', 'b', 'c']

type Call =
  | { do: 'queue'; key: string; ms: number }
  | { do: 'claim' }
  | { do: 'sweep' }
  | { do: 'cancel'; key: string }
  | { do: 'renew' | 'postpone' | 'succeed' | 'fail' | 'write'; held: number }
  | { do: 'advance'; ms: number }

const key = fc.constantFrom(...keys)
const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('queue' as const), key, ms: fc.integer({ min: 1, max: 40_000 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('claim' as const, 'claim', 'claim', 'sweep') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), key }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constantFrom('renew' as const, 'postpone', 'succeed', 'fail', 'write', 'write'),
      held: fc.nat(20),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 8_000 }) }) },
)

/** The model-based tests that every `CommandStore` passes: it does what `command-state.ts` says, and nothing else. */
export function commandConformance(
  name: string,
  make: () => Promise<CommandHarness>,
  options: { runs?: number } = {},
): void {
  describe(`${name} as a CommandStore`, () => {
    it('does what the state machine says, for any order of calls', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(call, { minLength: 10, maxLength: 50 }), async (calls) => {
          const run = new Run(await make())
          for (const each of calls) await run.step(each)
          await run.check()
        }),
        { numRuns: options.runs ?? 30 },
      )
    })

    it('gives a command to one of many claimers at once', async () => {
      const harness = await make()
      const id = await harness.queue('a', harness.now() + 60_000)
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, i) => harness.store.claim(`m${i}`, lease, harness.now())),
      )
      expect(all.flatMap((held) => held?.id ?? [])).toEqual([id])
    })

    it('keeps each numbered piece of output once, and none of a holder that lost it', async () => {
      const harness = await make()
      const id = await harness.queue('a', harness.now() + 60_000)
      const claim = () => harness.store.claim('m', lease, harness.now())
      const first = await claim()
      if (!first) return expect.fail('nothing was due')
      const piece = (extent: { next: number }, chunk: string) => ({ number: extent.next, at: harness.now(), chunk })
      const extent = await harness.store.written(first)
      expect(extent).toMatchObject({ chunks: 0, bytes: 0 })
      for (let twice = 0; twice < 2; twice++) await harness.store.output(first, piece(extent, 'one '))
      await harness.advance(lease + 1)
      const second = await claim()
      if (!second) return expect.fail('nothing was due')
      const behind = await harness.store.written(second)
      expect(behind).toEqual({ next: extent.next + 1, chunks: 1, bytes: 4 })
      expect(await harness.store.output(first, piece(behind, 'stale '))).toBe(false)
      expect(await harness.store.output(second, piece(behind, 'two'))).toBe(true)
      expect(await harness.output(id)).toBe('one two')
    })
  })
}

class Run {
  readonly harness: CommandHarness
  readonly #model = new Map<string, { state: CommandState; result: unknown; output: string }>()
  readonly #ids = new Map<string, string>()
  readonly #held: HeldCommand[] = []
  #writes = 0

  constructor(harness: CommandHarness) {
    this.harness = harness
  }

  async step(each: Call): Promise<void> {
    const now = this.harness.now()
    if (each.do === 'advance') return this.harness.advance(each.ms)
    if (each.do === 'claim') return this.#claim(now)
    if (each.do === 'sweep') {
      await this.harness.sweep()
      for (const row of this.#model.values()) row.state = swept(row.state, now) ?? row.state
      return
    }
    if (each.do === 'queue') {
      const known = this.#ids.get(each.key)
      const id = await this.harness.queue(each.key, now + each.ms)
      if (known) expect(id).toBe(known)
      else this.#model.set(id, { state: queued(now + each.ms), result: null, output: '' })
      this.#ids.set(each.key, id)
      return
    }
    if (each.do === 'cancel') {
      const id = this.#ids.get(each.key)
      if (id === undefined) return
      await this.harness.cancel(id)
      const row = this.#row(id)
      row.state = cancelled(row.state, now) ?? row.state
      return
    }
    const held = this.#held[each.held % Math.max(1, this.#held.length)]
    if (held) await this.#told(each.do, held, now)
  }

  async check(): Promise<void> {
    for (const [id, { state, result, output }] of this.#model) {
      const { status, attempt, error } = state
      expect(await this.harness.look(id)).toEqual({ status, attempt, error: error?.code ?? null, result })
      expect(await this.harness.output(id)).toBe(output)
    }
  }

  #row(id: string) {
    return this.#model.get(id) ?? expect.fail(`no command ${id}`)
  }

  async #claim(now: number): Promise<void> {
    const due = [...this.#model].filter(([, { state }]) => isDue(state, now)).map(([id]) => id)
    const held = await this.harness.store.claim('m', lease, now)
    if (!held) return expect(due).toEqual([])
    expect(due).toContain(held.id)
    const row = this.#row(held.id)
    const next = claimed(row.state, 'm', lease, now) ?? expect.fail('it was not due')
    expect(held).toMatchObject({
      attempt: next.attempt,
      deadline: next.deadline,
      cancelRequested: next.cancelRequested,
    })
    row.state = next
    this.#held.push(held)
    // The store's own numbers, in the order of the model's.
    expect(new Set(this.#held.map((each) => `${each.id} ${each.epoch}`)).size).toBe(this.#held.length)
  }

  async #told(what: 'renew' | 'postpone' | 'succeed' | 'fail' | 'write', held: HeldCommand, now: number) {
    const { store } = this.harness
    const row = this.#row(held.id)
    // Attempts are counted by claims alone, so they name the model's epoch of the same claim.
    const current = !isOver(row.state.status) && row.state.attempt === held.attempt
    const epoch = current ? row.state.epoch : -1
    if (what === 'renew') {
      const next = renewed(row.state, epoch, now + lease)
      const answer = await store.renew(held, now + lease)
      expect(answer.ours).toBe(next !== null)
      if (next) expect(answer.cancelled).toBe(next.cancelRequested)
      row.state = next ?? row.state
    } else if (what === 'postpone') {
      const next = postponed(row.state, epoch, now + 1_000)
      expect(await store.postpone(held, now + 1_000)).toBe(next !== null)
      row.state = next ?? row.state
    } else if (what === 'write') {
      const chunk = `${this.#writes++};`
      const { next: number } = await store.written(held)
      const ours = renewed(row.state, epoch, now) !== null
      expect(await store.output(held, { number, at: now, chunk })).toBe(ours)
      if (ours) row.output += chunk
    } else {
      const error = { code: 'E_TEST', message: 'It is broken' }
      const result = { n: this.#writes++ }
      const outcome =
        what === 'succeed' ? ({ status: 'succeeded', result } as const) : ({ status: 'failed', error } as const)
      const next = finished(row.state, epoch, outcome, now)
      expect(await store.finish(held, outcome, now)).toBe(next !== null)
      if (next && what === 'succeed') row.result = result
      row.state = next ?? row.state
    }
  }
}
