import type { Clock } from '@landfall/engine'
import { type Chance, Chances } from './chance.ts'

/** One incarnation of a process: it dies once, and whoever follows is another life with the same disk. */
export class Life {
  readonly name: string
  readonly ended = new AbortController()
  dead = false
  /** Stopped as by SIGSTOP until this instant: what is due for it happens then. */
  frozenUntil = 0
  /** Its clock minus the true time, in milliseconds. */
  skew: number
  /** Awaits left until it is killed; null: it is not doomed. */
  doom: number | null = null

  constructor(name: string, skew: number) {
    this.name = name
    this.skew = skew
  }
}

interface Due {
  at: number
  tie: number
  life: Life | null
  label: string
  run: () => void
  dropped: boolean
}

/**
 * Owner of time and order: every await of a simulated port ends here. What is due at the same instant happens in an order that the
 * seed chooses; between two happenings everything that needs no time has run.
 */
export class Scheduler {
  now = Date.UTC(2026, 0, 1)
  /** Happenings so far, and a hash over all of them: the same seed gives the same. */
  steps = 0
  hash = 0x811c9dc5
  /** Called when a doomed life has come to its end. */
  onKilled: (life: Life) => void = () => {}
  readonly #heap: Due[] = []
  readonly #chances: Chances

  constructor(seed: number) {
    this.#chances = new Chances(seed)
  }

  /** The stream of chance of one process, link or environment. */
  chance(of: string): Chance {
    return this.#chances.get(of)
  }

  /** Runs it in `ms`, unless its life is over by then. Returns how to drop it. */
  after(ms: number, life: Life | null, label: string, run: () => void): () => void {
    const tie = this.#chances.get(`order ${life?.name ?? label}`).next()
    const due: Due = { at: this.now + Math.max(0, ms), tie, life, label, run, dropped: false }
    push(this.#heap, due)
    return () => {
      due.dropped = true
    }
  }

  /** Resolves after `ms` of true time, or never if the life ends before. */
  hop(life: Life | null, ms: number, label: string): Promise<void> {
    return new Promise((resolve) => this.after(ms, life, label, resolve))
  }

  /** The clock as this life sees it. */
  clockOf(life: Life | null): Clock {
    return {
      now: () => this.now + (life?.skew ?? 0),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason)
          const stop = () => {
            drop()
            reject(signal?.reason)
          }
          const drop = this.after(ms, life, 'sleep', () => {
            signal?.removeEventListener('abort', stop)
            resolve()
          })
          signal?.addEventListener('abort', stop, { once: true })
        }),
    }
  }

  /** Lets everything happen until an instant of true time; `after` runs after each happening and may end it by answering true. */
  async run(until: number, after: () => boolean): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (after()) return
      const due = this.#next(until)
      if (!due) {
        this.now = Math.max(this.now, until)
        return
      }
      this.now = Math.max(this.now, due.at)
      this.#happen(due)
    }
  }

  #next(until: number): Due | null {
    for (;;) {
      const top = this.#heap[0]
      if (!top || top.at > until) return null
      pop(this.#heap)
      if (top.dropped || top.life?.dead) continue
      if (top.life && top.life.frozenUntil > Math.max(this.now, top.at)) {
        push(this.#heap, { ...top, at: top.life.frozenUntil })
        continue
      }
      return top
    }
  }

  #happen({ life, label, run }: Due): void {
    this.steps += 1
    this.note(label)
    if (life && life.doom !== null) {
      life.doom -= 1
      if (life.doom <= 0) {
        this.note(`kill ${life.name}`)
        this.kill(life)
        return
      }
    }
    run()
  }

  kill(life: Life): void {
    if (life.dead) return
    life.dead = true
    this.onKilled(life)
  }

  /** Into the hash of the trace. */
  note(what: string): void {
    let hash = this.hash ^ (this.now & 0xffffffff)
    for (let index = 0; index < what.length; index++) hash = Math.imul(hash ^ what.charCodeAt(index), 0x01000193)
    this.hash = hash >>> 0
  }
}

const before = (a: Due, b: Due) => a.at < b.at || (a.at === b.at && a.tie < b.tie)

function push(heap: Due[], due: Due): void {
  let at = heap.length
  heap.push(due)
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent] as Due
    if (!before(due, above)) break
    heap[at] = above
    at = parent
  }
  heap[at] = due
}

function pop(heap: Due[]): void {
  const last = heap.pop() as Due
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1] as Due, heap[child] as Due)) child += 1
    if (!before(heap[child] as Due, last)) break
    heap[at] = heap[child] as Due
    at = child
  }
  heap[at] = last
}
