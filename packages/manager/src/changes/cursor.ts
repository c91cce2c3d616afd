/** How long the feed can be resumed; older cursors get a `reset`. */
export const feedKeptMs = 3_600_000

/** An event id: when it was given, and the snapshot that had been read then. */
export const cursorText = (at: number, snapshot: string): string => `${at}.${snapshot}`

/** The snapshot to resume from; null when the id is none, or too old to be complete. Half an hour is left as a margin. */
export function resumable(id: string | null, now: number): string | null {
  const match = /^(\d{1,15})\.(\d{1,20}:\d{1,20}:[\d,]{0,4000})$/.exec(id ?? '')
  if (!match?.[2]) return null
  return Number(match[1]) > now - feedKeptMs / 2 ? match[2] : null
}
