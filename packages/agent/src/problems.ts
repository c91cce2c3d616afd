import type { Report } from '@landfall/contract'
import type { Clock } from '@landfall/engine'

export type Problem = Report['agent']['problems'][number]

const maxProblems = 20

/** What a person should know of the agent itself, each with since when; one of a code at a time. */
export class Problems {
  readonly #clock: Pick<Clock, 'now'>
  readonly #onChange: () => void
  readonly #all = new Map<string, Problem>()

  constructor(clock: Pick<Clock, 'now'>, onChange: () => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  /** Says it, or says it in other words; since when stays. */
  set(code: string, message: string): void {
    const known = this.#all.get(code)
    const text = message.slice(0, 500)
    if (known?.message === text || (!known && this.#all.size >= maxProblems)) return
    this.#all.set(code, { code, message: text, since: known?.since ?? this.#clock.now() })
    this.#onChange()
  }

  clear(code: string): void {
    if (this.#all.delete(code)) this.#onChange()
  }

  list(): Problem[] {
    return [...this.#all.values()].sort((a, b) => a.since - b.since)
  }
}
