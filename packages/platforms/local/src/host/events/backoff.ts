/** Exponential wait with full jitter: uniform between 0 and `base * 2^(attempt-1)`, at most `max` milliseconds. */
export function backoffMs(attempt: number, base: number, max: number): number {
  return Math.random() * Math.min(max, base * 2 ** (attempt - 1))
}
