/** Seconds; an answer slower than the last falls into +Inf. */
export const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

interface Series {
  operation: string
  status: number
  counts: number[]
  sum: number
}

/** Counts calls by operation and status. Bounded: operations are the route table's, statuses are few. */
export class RequestMetrics {
  readonly #series = new Map<string, Series>()
  inFlight = 0

  observe(operation: string, status: number, seconds: number): void {
    const key = `${operation} ${status}`
    const series = this.#series.get(key) ?? {
      operation,
      status,
      counts: Array<number>(durationBounds.length + 1).fill(0),
      sum: 0,
    }
    const found = durationBounds.findIndex((bound) => seconds <= bound)
    const index = found === -1 ? durationBounds.length : found
    series.counts[index] = (series.counts[index] ?? 0) + 1
    series.sum += seconds
    this.#series.set(key, series)
  }

  series(): readonly Readonly<Series>[] {
    return [...this.#series.values()]
  }
}
