const steps = [
  [60_000, 1_000, 'second'],
  [3_600_000, 60_000, 'minute'],
  [86_400_000, 3_600_000, 'hour'],
  [Number.POSITIVE_INFINITY, 86_400_000, 'day'],
] as const

/** `12 minutes ago`, `in 3 hours`, `now`. Takes ISO text or milliseconds. */
export function relative(at: string | number | null, now = Date.now()): string {
  if (at === null) return 'never'
  const difference = now - (typeof at === 'number' ? at : Date.parse(at))
  const size = Math.abs(difference)
  if (size < 1_000) return 'now'
  const words = span(size)
  return difference > 0 ? `${words} ago` : `in ${words}`
}

/** `42 seconds`, `3 minutes`: one unit, rounded down. */
export function span(milliseconds: number): string {
  for (const [limit, unit, name] of steps) {
    if (milliseconds >= limit) continue
    const count = Math.floor(milliseconds / unit)
    return `${count} ${name}${count === 1 ? '' : 's'}`
  }
  return ''
}
