import type { MaintenanceWindow } from '../../../api/types.ts'
import { useNow } from '../../../ui/time.tsx'
import { openingInWords } from './opening-words.ts'
import { openingsOf, ruleInWords } from './recurrence.ts'
import { weekdaysOf, windowInWords } from './window-form.ts'

/** A window in words, and when it opens next, or that it is open. */
export function WindowLine({ window }: { window: MaintenanceWindow }) {
  const now = useNow()
  const { words, next } = said(window, now)
  return (
    <span className="two-line">
      <strong>{words}</strong>
      <small className="muted">
        {window.timeZone}; {next}
      </small>
    </span>
  )
}

function said(window: MaintenanceWindow, now: number): { words: string; next: string } {
  try {
    const words = weekdaysOf(window.rrule) ? windowInWords(window) : windowInWords(window, ruleInWords(window))
    const [next] = openingsOf(window, now, 1)
    if (!next) return { words, next: 'opens no more' }
    return { words, next: next.from <= now ? 'open now' : `next ${openingInWords(next, window.timeZone, now)}` }
  } catch {
    return { words: windowInWords(window), next: 'this browser can’t say when it opens' }
  }
}
