/** A point of one stream of a histogram, cumulative or delta. */
export interface StreamPoint {
  at: number
  startAt: number
  cumulative: boolean
  count: number
  sum: number
  buckets: readonly number[]
}

/** What a stream grew by until `at` since its point before. */
export interface Increment {
  at: number
  count: number
  sum: number
  buckets: number[]
}

/**
 * The growth of one stream, whose points are ordered by time. A cumulative stream that started again (another start time, or
 * a lower count) counts from zero. The first point of a cumulative stream counts only if the stream began after `since`:
 * what it had before is not known to belong to the window. Repeated points add nothing.
 */
export function increments(points: readonly StreamPoint[], since: number): Increment[] {
  const result: Increment[] = []
  let before: StreamPoint | null = null
  for (const point of points) {
    const grown = !point.cumulative ? whole(point) : growth(point, before, since)
    before = point
    if (grown && grown.count > 0 && point.at >= since) result.push(grown)
  }
  return result
}

const whole = (point: StreamPoint): Increment => ({
  at: point.at,
  count: point.count,
  sum: point.sum,
  buckets: [...point.buckets],
})

function growth(point: StreamPoint, before: StreamPoint | null, since: number): Increment | null {
  if (!before) return point.startAt >= since ? whole(point) : null
  if (before.startAt !== point.startAt || before.count > point.count) return whole(point)
  return {
    at: point.at,
    count: point.count - before.count,
    sum: Math.max(0, point.sum - before.sum),
    buckets: point.buckets.map((value, index) => Math.max(0, value - (before.buckets[index] ?? 0))),
  }
}
