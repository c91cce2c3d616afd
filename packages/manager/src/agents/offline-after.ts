import type { Poll } from './hub/hub.ts'

const leastMs = 600_000

/** How long an agent is silent before it counts as offline: three times as long as it may wait from one sync to the next. Milliseconds. */
export function offlineAfterMs({ waitMs, intervalMs, jitterMs }: Poll): number {
  return Math.max(leastMs, 3 * (waitMs + intervalMs + jitterMs))
}
