import type { InstanceEnd } from './instance.ts'

const windowMs = 120_000
const exitsForLoop = 3
const baseDelayMs = 250
const maxDelayMs = 30_000

export interface Failing {
  code: string
  message: string
}

/** Remembers unasked ends of one slot: tells how long to wait before the next start, and when waiting is useless. */
export class CrashRecord {
  #exits: number[] = []
  #failing: Failing | null = null

  get failing(): Failing | null {
    return this.#failing
  }

  /** The newest end; returns milliseconds until the next start (exponential, the upper half of it random). */
  ended(end: InstanceEnd, now: number, random: number): number {
    this.#exits = [...this.#exits.filter((at) => now - at < windowMs), now].slice(-20)
    if (end.cause === 'never-healthy') {
      this.#failing = {
        code: 'START_FAILED',
        message: 'A process did not pass its first health check within the startup time.',
      }
    } else if (this.#exits.length >= exitsForLoop) {
      this.#failing = {
        code: 'CRASH_LOOP',
        message: `A process ended ${this.#exits.length} times within ${windowMs / 60_000} minutes, last with ${howItEnded(end)}.`,
      }
    }
    const delay = Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#exits.length - 1))
    return delay / 2 + (delay / 2) * random
  }

  /** Asked at times while the process runs well: forgets once no end lies within the window. */
  settled(now: number): void {
    this.#exits = this.#exits.filter((at) => now - at < windowMs)
    if (this.#exits.length === 0) this.#failing = null
  }
}

export function howItEnded(end: InstanceEnd): string {
  if (end.cause === 'never-healthy') return 'no first health check in time'
  if (end.cause === 'unhealthy') return 'failing health checks'
  if (end.cause === 'spawn-failed') return 'no start at all'
  return end.signal ? `signal ${end.signal}` : `exit code ${end.code}`
}
