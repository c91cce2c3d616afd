import { LandfallError } from '@landfall/stack'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Desired } from '../ports/desired.ts'
import type { EngineEvent } from '../ports/events.ts'
import type { Lease, StateStore } from '../ports/store.ts'
import type { DeploymentState } from '../state/deployment-state.ts'
import { initialState } from '../state/initial-state.ts'

/** A store under test with what stands around it. Its clock moves only by `advance`. */
export interface StoreHarness {
  store: StateStore
  now(): number
  advance(ms: number): Promise<void> | void
  /** What a manager does: sets a deployment's desired, with a generation higher than before. */
  put(desired: Desired): Promise<void> | void
  state(deployment: string): Promise<DeploymentState | null> | DeploymentState | null
  /** Messages of the events persisted so far, oldest first. */
  events(deployment: string): Promise<readonly string[]> | readonly string[]
}

const ids = ['d1', 'd2', 'd3']
const ttl = 10_000

/** What the port promises, as small as it can be said. */
interface ModelRow {
  generation: number
  observed: number
  wakeAt: number | null
  epoch: number
  held: { until: number } | null
  state: number | null
  events: string[]
}

type Command =
  | { do: 'put'; id: string }
  | { do: 'claim'; owner: string; id: string | null }
  | { do: 'renew'; lease: number }
  | { do: 'desired'; lease: number }
  | { do: 'persist'; lease: number }
  | { do: 'release'; lease: number; behind: boolean; wake: number | null }
  | { do: 'advance'; ms: number }

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('put' as const), id: fc.constantFrom(...ids) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      owner: fc.constantFrom('m1', 'm2'),
      id: fc.option(fc.constantFrom(...ids)),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('renew' as const, 'desired', 'persist', 'persist'), lease: fc.nat(20) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      lease: fc.nat(20),
      behind: fc.boolean(),
      wake: fc.option(fc.integer({ min: 0, max: 20_000 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 12_000 }) }) },
)

/** The model-based tests that every `StateStore` passes: the simulator's and the database's alike. */
export function storeConformance(
  name: string,
  make: () => Promise<StoreHarness>,
  options: { runs?: number } = {},
): void {
  describe(`${name} as a StateStore`, () => {
    it('fences, loses no wake-up and keeps state with events, for any order of calls', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60 }), async (commands) => {
          const run = new ConformanceRun(await make())
          for (const each of [...ids.map((id) => ({ do: 'put' as const, id })), ...commands]) await run.step(each)
          await run.check()
        }),
        { numRuns: options.runs ?? 100 },
      )
    })

    it('gives a deployment to one of many claimers at once, and each of many deployments to somebody', async () => {
      const run = new ConformanceRun(await make())
      for (const id of ids) await run.step({ do: 'put', id })
      const claimed = await Promise.all(Array.from({ length: 8 }, (_, i) => run.harness.store.claim(`m${i}`, ttl)))
      const won = claimed.flatMap((each) => (each ? [each.lease.deployment] : []))
      expect(won.sort()).toEqual(ids)
    })

    it('is due again at once when a new generation came while the lease was held', async () => {
      const { harness } = new ConformanceRun(await make())
      await harness.put(desiredOf('d1', 1))
      const first = await harness.store.claim('m1', ttl)
      if (!first) return expect.fail('nothing was due')
      await harness.put(desiredOf('d1', 2))
      await harness.store.release(first.lease, { observed: 1, wakeAt: null })
      expect((await harness.store.claim('m1', ttl))?.desired.generation).toBe(2)
    })
  })
}

class ConformanceRun {
  readonly harness: StoreHarness
  readonly #model = new Map<string, ModelRow>()
  readonly #leases: Lease[] = []
  #writes = 0

  constructor(harness: StoreHarness) {
    this.harness = harness
  }

  async step(command: Command): Promise<void> {
    if (command.do === 'put') return this.#put(command.id)
    if (command.do === 'advance') return this.harness.advance(command.ms)
    if (command.do === 'claim') return this.#claim(command.owner, command.id)
    const lease = this.#leases[command.lease % Math.max(1, this.#leases.length)]
    if (lease) await this.#held(command, lease)
  }

  /** Everything that can be read agrees with the model. */
  async check(): Promise<void> {
    for (const [id, row] of this.#model) {
      expect((await this.harness.state(id))?.sequence ?? null).toBe(row.state)
      expect(await this.harness.events(id)).toEqual(row.events)
    }
  }

  async #put(id: string): Promise<void> {
    const row = this.#model.get(id)
    const generation = (row?.generation ?? 0) + 1
    await this.harness.put(desiredOf(id, generation))
    if (row) row.generation = generation
    else {
      this.#model.set(id, { generation, observed: 0, wakeAt: null, epoch: 0, held: null, state: null, events: [] })
    }
  }

  async #claim(owner: string, id: string | null): Promise<void> {
    const now = this.harness.now()
    const free = (row: ModelRow) => row.held === null || row.held.until <= now
    const due = (row: ModelRow) => row.observed < row.generation || (row.wakeAt !== null && row.wakeAt <= now)
    const possible = [...this.#model].filter(([key, row]) => free(row) && (id === null ? due(row) : key === id))
    const claimed = await this.harness.store.claim(owner, ttl, id ?? undefined)
    if (!claimed) return expect(possible).toEqual([])
    expect(possible.map(([key]) => key)).toContain(claimed.lease.deployment)
    const row = this.#row(claimed.lease.deployment)
    expect(claimed.lease).toMatchObject({ owner, epoch: row.epoch + 1, expiresAt: now + ttl })
    expect(claimed.desired).toEqual(desiredOf(claimed.lease.deployment, row.generation))
    expect(claimed.state?.sequence ?? null).toBe(row.state)
    row.epoch += 1
    row.held = { until: now + ttl }
    this.#leases.push(claimed.lease)
  }

  async #held(command: Exclude<Command, { do: 'put' | 'claim' | 'advance' }>, lease: Lease): Promise<void> {
    const row = this.#row(lease.deployment)
    // A lease that ran out still counts while nobody else took it: only the epoch decides.
    const current = row.held !== null && row.epoch === lease.epoch
    const call = this.#call(command, lease, row)
    if (current) return call.then((apply) => apply())
    const refused = await call.then(
      () => null,
      (error: unknown) => error,
    )
    expect(LandfallError.is(refused, 'E_STALE_EPOCH')).toBe(true)
  }

  /** Makes the call; what it resolves with changes the model as the call was to change the store. */
  async #call(
    command: Exclude<Command, { do: 'put' | 'claim' | 'advance' }>,
    lease: Lease,
    row: ModelRow,
  ): Promise<() => void> {
    const { store } = this.harness
    const now = this.harness.now()
    if (command.do === 'renew') {
      expect((await store.renew(lease, ttl)).expiresAt).toBe(now + ttl)
      return () => {
        row.held = { until: now + ttl }
      }
    }
    if (command.do === 'desired') {
      expect((await store.desired(lease)).generation).toBe(row.generation)
      return () => {}
    }
    if (command.do === 'persist') {
      const sequence = ++this.#writes
      const event: EngineEvent = { at: now, type: 'test.write', message: `write ${sequence}`, data: { sequence } }
      await store.persist(lease, { ...initialState(now), sequence }, [event])
      return () => {
        row.state = sequence
        row.events.push(event.message)
      }
    }
    const observed = command.behind ? row.observed : row.generation
    const wakeAt = command.wake === null ? null : now + command.wake
    await store.release(lease, { observed, wakeAt })
    return () => Object.assign(row, { observed, wakeAt, held: null })
  }

  #row(id: string): ModelRow {
    const row = this.#model.get(id)
    if (!row) throw new RangeError(`no deployment ${id}`)
    return row
  }
}

function desiredOf(id: string, generation: number): Desired {
  return {
    generation,
    deployment: { id, name: id, project: 'shop', prefix: id, platform: 'local', model: 'push', environment: { n: 1 } },
    operation: 'run',
    target: { digest: `sha256:${generation}`, release: 'sha256:r', config: 'sha256:c' },
    setup: null,
    controls: [],
    customer: { updates: 'approval', access: 'granted', windows: [] },
    answers: [{ gate: 'update', target: 'sha256:1', status: 'pass', by: 'ada', at: 1 }],
    policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
  }
}
