/**
 * Smooth weighted round robin (nginx's algorithm): over any window of requests each key gets its share to within one
 * request per key, so that 20% asked is 20% served, without the noise of a random choice.
 */
export class Shares {
  #weights: ReadonlyMap<string, number> = new Map()
  readonly #current = new Map<string, number>()

  /** Same weights again change nothing, so that a repeated request does not disturb the sequence. */
  set(weights: Readonly<Record<string, number>>): void {
    const next = new Map(Object.entries(weights).filter(([, weight]) => weight > 0))
    const same =
      next.size === this.#weights.size && [...next].every(([key, weight]) => this.#weights.get(key) === weight)
    if (same) return
    this.#weights = next
    this.#current.clear()
  }

  /** The next key among those that `usable` accepts; null when there is none. */
  next(usable: (key: string) => boolean): string | null {
    let total = 0
    let best: string | null = null
    let bestValue = Number.NEGATIVE_INFINITY
    for (const [key, weight] of this.#weights) {
      if (!usable(key)) continue
      total += weight
      const value = (this.#current.get(key) ?? 0) + weight
      this.#current.set(key, value)
      if (value > bestValue) {
        best = key
        bestValue = value
      }
    }
    if (best !== null) this.#current.set(best, bestValue - total)
    return best
  }

  /** Percent by key as it is really served while only `usable` keys can serve; empty when none can. */
  effective(usable: (key: string) => boolean): Record<string, number> {
    const able = [...this.#weights].filter(([key]) => usable(key))
    const total = able.reduce((sum, [, weight]) => sum + weight, 0)
    return Object.fromEntries(able.map(([key, weight]) => [key, (weight / total) * 100]))
  }
}
