import { type StateStore, windowsAt } from '@landfall/engine'
import { seededRandom } from '@landfall/engine/testing'
import type { MaintenanceWindow } from '@landfall/stack'
import type { Life, Scheduler } from './scheduler.ts'
import type { Entry } from './script.ts'

/** Maintenance windows of a deployment, and what becomes of a rollout that is under way when one closes. */
export interface Maintenance {
  windows: MaintenanceWindow[]
  windowClose: 'finish' | 'abort'
}

/** Where its own chance says so, minutes in which updates may begin, until the calm; days go by too slowly for any other rule. */
export function maintenanceOf(seed: number, index: number): Maintenance {
  const random = seededRandom(seed * 65_537 + index * 257 + 3)
  const between = (from: number, to: number) => from + Math.floor(random.next() * (to - from + 1))
  const windowClose = random.next() < 0.5 ? 'finish' : 'abort'
  const windows: MaintenanceWindow[] = []
  if (random.next() < 0.3)
    for (let minute = between(0, 1); minute < 8; minute += between(2, 3))
      windows.push({
        ...{ rrule: 'FREQ=DAILY', start: `2026-01-01T00:${String(minute).padStart(2, '0')}` },
        ...{ duration: '1m', timeZone: 'UTC' },
      })
  return { windows, windowClose }
}

/** From a decision to what is written of it. Milliseconds. */
const writtenMs = 3_000
/** What was decided before a trouble may be written after it. */
const afterMs = 20_000

type Known = Awaited<ReturnType<StateStore['claim']>>
type State = NonNullable<NonNullable<Known>['state']>

/** Checks at each write that updates begin within windows, by the clock of who decided. */
export class WindowWatch {
  readonly #scheduler: Scheduler
  /** Null: none counts now. */
  readonly #of: (deployment: string) => Maintenance | null
  readonly #fail: (invariant: string, message: string) => void
  readonly #states = new Map<string, State>()
  readonly #troubled = new Map<string, number>()

  constructor(deps: {
    scheduler: Scheduler
    of: (deployment: string) => Maintenance | null
    fail: (invariant: string, message: string) => void
  }) {
    this.#scheduler = deps.scheduler
    this.#of = deps.of
    this.#fail = deps.fail
  }

  /** A process, or all of them, decide now and write much later, or by another clock. */
  trouble(entry: Entry): void {
    const { now } = this.#scheduler
    const until = (name: string, ms: number) =>
      this.#troubled.set(name, Math.max(now + ms + afterMs, this.#troubled.get(name) ?? 0))
    if (entry.kind === 'stop') until(entry.process, entry.ms)
    if (entry.kind === 'clock') until(entry.process, 0)
    if (entry.kind === 'database') until('all', entry.ms)
    if (entry.kind === 'platform') until(entry.on, entry.ms + 40_000)
  }

  /** Beside the store of one process. */
  store(inner: StateStore, life: Life): StateStore {
    return {
      ...inner,
      claim: (...given) => inner.claim(...given),
      persist: async (lease, state, events) => {
        await inner.persist(lease, state, events)
        this.#written(lease.deployment, state, life)
      },
    }
  }

  #written(id: string, next: State, life: Life): void {
    const before = this.#states.get(id)
    this.#states.set(id, next)
    const maintenance = this.#of(id)
    if (!maintenance || maintenance.windows.length === 0) return
    const { now } = this.#scheduler
    if ([life.name, 'all', id].some((name) => (this.#troubled.get(name) ?? 0) > now)) return
    const { windows, windowClose } = maintenance
    const open = (sinceMs: number) => {
      for (let at = now - sinceMs; at <= now; at += 1_000) if (windowsAt(windows, at + life.skew).open) return true
      return windowsAt(windows, now + life.skew).open
    }
    const { candidate, stable } = next
    const known = [before?.stable, before?.previous, ...(before?.history ?? [])]
    const isBack = known.some((one) => one?.digest === candidate?.digest)
    const begins = candidate && candidate.digest !== before?.candidate?.digest && !isBack
    if (begins && !open(writtenMs))
      this.#fail('updates begin within windows', `${id} brings ${candidate.digest.slice(7, 13)} outside of them`)
    const promoted = before?.stable && stable && before.candidate?.digest === stable.digest
    // What was stable before may come back at any time.
    const wasStable = known.some((one) => one?.digest === stable?.digest)
    if (promoted && windowClose === 'abort' && !wasStable && !open(writtenMs))
      this.#fail('what ends with its window is not promoted after it', `${id}: ${stable.digest.slice(7, 13)}`)
  }
}
