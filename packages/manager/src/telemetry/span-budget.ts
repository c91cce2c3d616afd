import type { SpanRow } from './rows/span-rows.ts'

/** Spans of one deployment that begin in one minute; failed ones have as much again. */
export const maxSpansPerMinute = 6_000
const maxKept = 20_000

/**
 * Bounds the spans that are stored by the minute in which they began, not in which they came: what an agent brings after hours
 * without network is not cut, a loop that makes spans is. Each manager counts for itself.
 */
export class SpanBudget {
  readonly #counts = new Map<string, number>()

  admit(deployment: string, rows: readonly SpanRow[]): SpanRow[] {
    return rows.filter((row) => {
      const key = `${deployment} ${Math.floor(row.at / 60_000_000)}`
      const count = this.#counts.get(key) ?? 0
      if (count >= (row.status === 2 ? 2 : 1) * maxSpansPerMinute) return false
      // Written anew so that the minute that was used longest ago is the first.
      this.#counts.delete(key)
      this.#counts.set(key, count + 1)
      if (this.#counts.size > maxKept) this.#counts.delete(this.#counts.keys().next().value ?? '')
      return true
    })
  }
}
