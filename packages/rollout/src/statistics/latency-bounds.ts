/** Upper bounds (ms, inclusive) of the latency histogram that every source of counters uses; one more bucket counts what is above. */
export const latencyBoundsMs: readonly number[] = [
  1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000,
  15_000, 20_000, 30_000, 60_000,
]

/** Index of the bucket that a latency falls into. */
export function latencyBucket(ms: number): number {
  const index = latencyBoundsMs.findIndex((bound) => ms <= bound)
  return index < 0 ? latencyBoundsMs.length : index
}

/** Requests slower than the bound with this index. */
export function slowerThan(histogram: readonly number[], bound: number): number {
  let sum = 0
  for (let bucket = bound + 1; bucket <= latencyBoundsMs.length; bucket++) sum += histogram[bucket] ?? 0
  return sum
}

/** Requests slower than `ms`, interpolated within its bucket. */
export function slowerThanMs(histogram: readonly number[], ms: number): number {
  const bucket = latencyBucket(ms)
  const lower = bucket === 0 ? 0 : (latencyBoundsMs[bucket - 1] ?? 0)
  const upper = latencyBoundsMs[bucket] ?? 2 * lower
  const within = upper > lower ? Math.min(1, Math.max(0, (upper - ms) / (upper - lower))) : 0
  return slowerThan(histogram, bucket) + within * (histogram[bucket] ?? 0)
}

/** The quantile (0..1) of a histogram in milliseconds, interpolated within its bucket; null when it is empty. */
export function quantile(histogram: readonly number[], q: number): number | null {
  const total = histogram.reduce((sum, each) => sum + each, 0)
  if (total <= 0) return null
  let below = 0
  for (let bucket = 0; bucket <= latencyBoundsMs.length; bucket++) {
    const here = histogram[bucket] ?? 0
    if (here > 0 && below + here >= q * total) {
      const lower = bucket === 0 ? 0 : (latencyBoundsMs[bucket - 1] ?? 0)
      const upper = latencyBoundsMs[bucket] ?? 2 * lower
      return lower + ((q * total - below) / here) * (upper - lower)
    }
    below += here
  }
  return 2 * (latencyBoundsMs.at(-1) ?? 0)
}
