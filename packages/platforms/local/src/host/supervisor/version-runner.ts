import { randomUUID } from 'node:crypto'
import type { VersionSpec, VersionView } from '../../shared/control.ts'
import { addCounters, type Counters, emptyCounters } from '../router/counters.ts'
import { CrashRecord, type Failing, howItEnded } from './crash-record.ts'
import type { Instance, InstanceEnd } from './instance.ts'

interface Slot {
  instance: Instance | null
  crashes: CrashRecord
  timer: NodeJS.Timeout | null
  /** The start that is under way, or the last one. */
  filling: Promise<void>
  gone: boolean
}

export interface RunnerOptions {
  worker: string
  spec: VersionSpec
  /** What was reported before this daemon started; counters go on from there. */
  counters: Counters | null
  startInstance(id: string, hooks: { onChange(): void; onEnd(end: InstanceEnd): void }): Promise<Instance>
  note(line: string, instance: string): void
  onChange(): void
}

/** Keeps the asked number of processes of one version running. */
export class VersionRunner {
  readonly worker: string
  spec: VersionSpec
  readonly counters: Counters
  retiring = false
  #desired = 0
  #slots: Slot[] = []
  /** Told to stop, not yet gone. */
  readonly #ending = new Set<Instance>()
  readonly #options: RunnerOptions

  constructor(options: RunnerOptions) {
    this.#options = options
    this.worker = options.worker
    this.spec = options.spec
    this.counters = options.counters ?? emptyCounters()
  }

  /** Instances that take work, in the order of their slots. */
  ready(): Instance[] {
    return this.#slots.flatMap(({ instance }) => (instance?.state === 'ready' ? [instance] : []))
  }

  view(now: number): VersionView {
    let failing: Failing | null = null
    for (const { crashes, instance } of this.#slots) {
      if (instance?.state === 'ready') crashes.settled(now)
      failing ??= crashes.failing
    }
    return {
      spec: this.spec,
      instances: this.#desired,
      retiring: this.retiring,
      available: this.ready().length,
      total: this.#slots.filter(({ instance }) => instance !== null).length + this.#ending.size,
      restarts: this.counters.restarts,
      failing,
      counters: {
        requests: this.counters.requests,
        errors: this.counters.errors,
        latency: [...this.counters.latency],
        through: now,
      },
    }
  }

  /** Brings the number of slots to `instances`; resolves when what has to end has ended. */
  async scale(instances: number): Promise<void> {
    this.#desired = instances
    const stopping: Promise<void>[] = []
    while (this.#slots.length > instances) {
      const slot = this.#slots.pop()
      if (slot) stopping.push(this.#dismiss(slot))
    }
    while (this.#slots.length < instances) {
      const slot: Slot = {
        instance: null,
        crashes: new CrashRecord(),
        timer: null,
        filling: Promise.resolve(),
        gone: false,
      }
      this.#slots.push(slot)
      slot.filling = this.#fill(slot)
    }
    this.#options.onChange()
    await Promise.all([...stopping, ...[...this.#ending].map((instance) => instance.ended)])
  }

  record(sample: { error: boolean; ms: number }): void {
    addCounters(this.counters, sample)
  }

  async #dismiss(slot: Slot): Promise<void> {
    slot.gone = true
    if (slot.timer) clearTimeout(slot.timer)
    const { instance } = slot
    slot.instance = null
    if (instance) await this.#end(instance)
    await slot.filling
  }

  async #end(instance: Instance): Promise<void> {
    this.#ending.add(instance)
    await instance.stop()
    this.#ending.delete(instance)
  }

  async #fill(slot: Slot): Promise<void> {
    slot.timer = null
    const id = randomUUID().slice(0, 8)
    const onEnd = (end: InstanceEnd) => {
      slot.instance = null
      if (end.asked || slot.gone) return this.#options.onChange()
      this.counters.restarts++
      const delay = slot.crashes.ended(end, Date.now(), Math.random())
      this.#options.note(`ended with ${howItEnded(end)}; starts again in ${Math.round(delay)} ms`, id)
      slot.timer = setTimeout(() => {
        slot.filling = this.#fill(slot)
      }, delay)
      this.#options.onChange()
    }
    try {
      const instance = await this.#options.startInstance(id, { onChange: () => this.#options.onChange(), onEnd })
      if (instance.state === 'ended') return
      // Dismissed while it was being started.
      if (slot.gone) await this.#end(instance)
      else slot.instance = instance
    } catch (error) {
      this.#options.note(`can't be started: ${error instanceof Error ? error.message : String(error)}`, id)
      onEnd({ asked: false, cause: 'spawn-failed', code: null, signal: null, ranMs: 0, wasReady: false })
    }
  }
}
