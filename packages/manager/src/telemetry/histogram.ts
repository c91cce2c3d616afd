/**
 * The value below which `q` (0..1) of the observations lie, by linear interpolation within the bucket, as Prometheus'
 * `histogram_quantile` does; null without observations. In the last, open bucket it is that bucket's lower bound.
 * `buckets` has one element more than `bounds`.
 */
export function quantile(q: number, bounds: readonly number[], buckets: readonly number[]): number | null {
  const total = buckets.reduce((sum, value) => sum + value, 0)
  if (total <= 0) return null
  const rank = q * total
  let below = 0
  for (let i = 0; i < buckets.length; i++) {
    const here = buckets[i] ?? 0
    if (here > 0 && below + here >= rank) {
      const lower = i === 0 ? 0 : (bounds[i - 1] ?? 0)
      const upper = bounds[i]
      return upper === undefined ? lower : lower + (upper - lower) * ((rank - below) / here)
    }
    below += here
  }
  return bounds.at(-1) ?? null
}

/**
 * Counts of one histogram put into the buckets of another. A bucket that spans several is put where its upper bound lies: latency
 * is then never shown lower than it was.
 */
export function rebucket(bounds: readonly number[], buckets: readonly number[], to: readonly number[]): number[] {
  const result = new Array<number>(to.length + 1).fill(0)
  buckets.forEach((value, index) => {
    const upper = bounds[index] ?? Number.POSITIVE_INFINITY
    const at = to.findIndex((bound) => upper <= bound)
    const target = at === -1 ? to.length : at
    result[target] = (result[target] ?? 0) + value
  })
  return result
}
