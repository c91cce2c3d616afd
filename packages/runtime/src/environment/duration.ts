const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds, or a duration such as `90s`, `5m`, `7d`. */
export type Time = number | `${number}${keyof typeof units}`

/** @throws RangeError for what is not a positive time. */
export function timeMs(time: Time): number {
  const match = typeof time === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(time) : null
  const unit = match?.[2]
  const ms =
    typeof time === 'number' ? time : Number(match?.[1]) * (unit ? units[unit as keyof typeof units] : Number.NaN)
  if (Number.isFinite(ms) && ms > 0) return Math.round(ms)
  throw new RangeError('not a time: give milliseconds, or a duration such as 90s, 5m or 7d')
}
