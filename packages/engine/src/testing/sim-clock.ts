import type { Clock } from '../ports/clock.ts'

/**
 * Time that stands still until nothing else can happen, then jumps to the next timer. Hours pass in milliseconds, and the
 * order of everything is the same at each run.
 */
export class SimClock implements Clock {
  #now: number
  #timers: { at: number; order: number; wake: () => void }[] = []
  #order = 0

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const drop = () => {
        this.#timers = this.#timers.filter((timer) => timer !== entry)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', drop)
        resolve()
      }
      const entry = { at: this.#now + Math.max(0, ms), order: this.#order++, wake }
      signal?.addEventListener('abort', drop, { once: true })
      this.#timers.push(entry)
    })
  }

  /** Lets time pass until the promise is settled, or `untilMs` from now have passed: then it answers `undefined`. */
  async run<T>(promise: Promise<T>, untilMs = 7 * 86_400_000): Promise<T | undefined> {
    let settled = false
    const end = this.#now + untilMs
    promise.then(
      () => (settled = true),
      () => (settled = true),
    )
    for (;;) {
      // Everything that needs no time goes first: all ports here answer within microtasks.
      await new Promise((resolve) => setImmediate(resolve))
      if (settled) return promise
      if (!this.#step(end)) return undefined
    }
  }

  /** Lets time pass with nobody waiting. */
  async advance(ms: number): Promise<void> {
    await this.run(this.sleep(ms))
  }

  #step(end: number): boolean {
    const [next] = this.#timers.toSorted((a, b) => a.at - b.at || a.order - b.order)
    if (!next || next.at > end) return false
    this.#timers = this.#timers.filter((timer) => timer !== next)
    this.#now = Math.max(this.#now, next.at)
    next.wake()
    return true
  }
}
