import type { MaintenanceWindow } from '../../../api/types.ts'
import { Icon } from '../../../ui/icon.tsx'
import { useNow } from '../../../ui/time.tsx'
import { dayInWords, openingInWords } from './opening-words.ts'
import { type ClockChange, clockChange, type Opening, openingsOf, ruleInWords } from './recurrence.ts'
import { weekdaysOf, windowInWords } from './window-form.ts'

const shown = 4

interface Meaning {
  words: string
  openings: Opening[]
  clocks: ClockChange | null
}

function meaningOf(window: MaintenanceWindow, now: number): Meaning | string {
  try {
    return {
      words: weekdaysOf(window.rrule) ? windowInWords(window) : windowInWords(window, ruleInWords(window)),
      openings: openingsOf(window, now, shown),
      clocks: clockChange(window, now),
    }
  } catch (error) {
    return error instanceof Error ? error.message : 'it can’t be read'
  }
}

/** What a window means: in words, its next openings, and what the change of the clocks does to it. */
export function Preview({
  window,
  viewer,
  noDays,
}: {
  window: MaintenanceWindow
  /** The viewer's own zone. */
  viewer: string
  noDays: boolean
}) {
  const now = useNow()
  const meaning = noDays ? 'Choose at least one day.' : meaningOf(window, now)
  if (typeof meaning === 'string') {
    return (
      <div className="preview" role="status">
        <span className="row">
          <Icon name="warning" />
          <span>{noDays ? meaning : `Not a window yet: ${meaning}.`}</span>
        </span>
      </div>
    )
  }
  const { words, openings, clocks } = meaning
  return (
    <div className="preview" role="status">
      <strong>{words}</strong>
      {openings.length === 0 ? (
        <span className="row">
          <Icon name="warning" /> It never opens from now on.
        </span>
      ) : (
        <ul className="stack tight">
          {openings.map((opening) => (
            <li key={opening.from}>
              {openingInWords(opening, window.timeZone, now)}
              {viewer !== window.timeZone && (
                <span className="muted"> (for you {openingInWords(opening, viewer, now)})</span>
              )}
            </li>
          ))}
        </ul>
      )}
      <span className="muted">{clocksInWords(clocks, window)}</span>
    </div>
  )
}

function clocksInWords(clocks: ClockChange | null, { timeZone, start }: MaintenanceWindow): string {
  if (!clocks) return `The clocks of ${timeZone} do not change.`
  const stays = `The clocks of ${timeZone} change on ${dayInWords(clocks.at, timeZone)}; ${start.slice(11)} stays ${start.slice(11)} local time.`
  if (clocks.skipped === null) return stays
  return `${stays} On ${dayInWords(clocks.skipped, timeZone)} that time does not exist, so it does not open that day.`
}
