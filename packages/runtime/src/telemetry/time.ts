import type { TimeInput } from '@opentelemetry/api'

/** Nanoseconds since the epoch, as OTLP's JSON wants them: a decimal text. */
export function nowNano(): string {
  return nano(performance.timeOrigin + performance.now())
}

/** An instant of OpenTelemetry's API: `[seconds, nanoseconds]`, milliseconds (of the epoch or of the process), or a date. */
export function toNano(time: TimeInput | undefined): string {
  if (time === undefined) return nowNano()
  if (Array.isArray(time)) return String(BigInt(time[0]) * 1_000_000_000n + BigInt(time[1]))
  if (time instanceof Date) return nano(time.getTime())
  // The API allows performance.now() too: what is below the process's start can only be that.
  return nano(time < performance.timeOrigin ? performance.timeOrigin + time : time)
}

function nano(ms: number): string {
  const whole = Math.floor(ms)
  return String(BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * 1_000_000)))
}
