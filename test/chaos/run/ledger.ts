/**
 * Which deaths of one process in one scenario were died. What each undisturbed run passes is `always` and is the total; what only some of
 * them pass (a timer that came or did not) is `sometimes` and counted apart.
 */
export class Ledger {
  readonly always: Set<string>
  readonly sometimes: Set<string>
  readonly covered: Set<string>
  /** Died alone and ended wrong, twice: not tried again. */
  readonly given: Set<string> = new Set()
  readonly #wrongAlone = new Map<string, number>()

  /** @param passes what each undisturbed run passed */
  constructor(passes: readonly ReadonlySet<string>[], covered: Iterable<string> = []) {
    const all = new Set(passes.flatMap((one) => [...one]))
    this.always = new Set([...all].filter((death) => passes.every((one) => one.has(death))))
    this.sometimes = new Set([...all].filter((death) => !this.always.has(death)))
    this.covered = new Set([...covered].filter((death) => all.has(death)))
  }

  /** What is not covered and each undisturbed run passes. */
  get open(): string[] {
    return [...this.always].filter((death) => !this.covered.has(death))
  }

  /** What the next run waits for: all that is open, whatever comes of it. */
  get next(): string[] {
    return [...this.open, ...this.sometimesOpen].filter((death) => !this.given.has(death))
  }

  right(killed: readonly string[]): void {
    for (const death of killed) this.covered.add(death)
  }

  wrong(killed: readonly string[]): void {
    const [only] = killed
    if (killed.length !== 1 || only === undefined) return
    const times = (this.#wrongAlone.get(only) ?? 0) + 1
    this.#wrongAlone.set(only, times)
    if (times >= 2) this.given.add(only)
  }

  /** A run that waited for all that is open and in which nobody died is one more undisturbed run, which passed none of it. */
  calm(): void {
    for (const death of this.open) {
      if (this.given.has(death)) continue
      this.always.delete(death)
      this.sometimes.add(death)
    }
  }

  get sometimesOpen(): string[] {
    return [...this.sometimes].filter((death) => !this.covered.has(death))
  }

  get counts() {
    const of = (deaths: ReadonlySet<string>) => [...deaths].filter((death) => this.covered.has(death)).length
    return {
      ...{ total: this.always.size, covered: of(this.always) },
      ...{ sometimes: this.sometimes.size, sometimesCovered: of(this.sometimes) },
    }
  }
}
