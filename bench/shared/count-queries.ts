import pg from 'pg'

/** Counts what this process asks PostgreSQL, by the beginning of its text, until stopped: at the driver, below every pool. */
export function countQueries(): { total: () => number; byText: () => Record<string, number>; stop: () => void } {
  const counts = new Map<string, number>()
  const original = pg.Client.prototype.query
  const counted = function (this: pg.Client, ...given: Parameters<typeof original>) {
    const [query] = given as unknown as [string | { text?: string }]
    const text = (typeof query === 'string' ? query : (query.text ?? '')).trim().replace(/\s+/g, ' ').slice(0, 70)
    counts.set(text, (counts.get(text) ?? 0) + 1)
    return Reflect.apply(original, this, given)
  }
  pg.Client.prototype.query = counted as unknown as typeof original
  return {
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    byText: () => Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])),
    stop: () => {
      pg.Client.prototype.query = original
    },
  }
}
