import { useSyncExternalStore } from 'react'
import { exactTime, relativeTime } from '../format/time.ts'

/** One clock for the page: relative times move together, every five seconds. */
let now = Date.now()
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void) {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const each of listeners) each()
  }, 5_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

export const useNow = () => useSyncExternalStore(subscribe, () => now)

/** A time as people say it; the exact one, in the viewer's zone, when hovered. */
export function Time({ at, never = 'never' }: { at: string | number | null; never?: string }) {
  const current = useNow()
  if (at === null) return <span className="faint">{never}</span>
  const instant = typeof at === 'number' ? at : Date.parse(at)
  // The shared clock stands still between ticks: what happened since is "just now", not in the future.
  const seen = Math.abs(instant - current) < 6_000 ? instant : current
  return (
    <time dateTime={new Date(instant).toISOString()} title={exactTime(instant)} className="nowrap">
      {relativeTime(instant, seen)}
    </time>
  )
}
