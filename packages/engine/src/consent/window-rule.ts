import type { MaintenanceWindow } from '@landfall/stack'
import { RRuleTemporal } from 'rrule-temporal'
import { Temporal } from 'temporal-polyfill'

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** The longest that one opening may last, milliseconds. */
export const longestMs = 7 * unitMs.d
/** A day is 25 hours where the clocks go back: how far an opening in days may exceed its 24 hours each. */
const slackMs = unitMs.h * 3

/** The library gives up after this many periods without an occurrence: 2,000 years of a yearly rule, 5 of a daily one that matches nothing. */
const maxIterations = 2_000

/** One maintenance window, ready to be asked. Instants are milliseconds since the epoch. */
export class WindowRule {
  readonly #rule: RRuleTemporal
  readonly #timeZone: string
  readonly #count: number
  readonly #unit: keyof typeof unitMs

  /** Throws (whatever the library throws) where the rule, the start or the zone can't be read. */
  constructor(window: MaintenanceWindow) {
    const dtstart = Temporal.PlainDateTime.from(window.start).toZonedDateTime(window.timeZone)
    this.#rule = new RRuleTemporal({ rruleString: window.rrule, dtstart, strict: true, maxIterations, cache: false })
    this.#timeZone = window.timeZone
    this.#count = Number(window.duration.slice(0, -1))
    this.#unit = window.duration.slice(-1) as keyof typeof unitMs
  }

  /** Nominal length of an opening. */
  get lengthMs(): number {
    return this.#count * unitMs[this.#unit]
  }

  /** Every opening that has a part in `[from, to]`, as `[opens, closes)`. */
  between(from: number, to: number): [number, number][] {
    const starts = this.#rule.between(new Date(from - this.lengthMs - slackMs), new Date(to), true)
    return starts
      .map((start): [number, number] => [start.epochMilliseconds, this.#closes(start.epochMilliseconds)])
      .filter(([, closes]) => closes > from)
  }

  /** The first opening after an instant; null when there is none. */
  next(after: number): number | null {
    return this.#rule.next(new Date(after))?.epochMilliseconds ?? null
  }

  /** Hours and minutes are exact; days follow the calendar, so that one from 02:00 ends at 02:00 (RFC 5545, 3.3.6). */
  #closes(opens: number): number {
    if (this.#unit !== 'd') return opens + this.lengthMs
    const start = Temporal.Instant.fromEpochMilliseconds(opens).toZonedDateTimeISO(this.#timeZone)
    return start.add({ days: this.#count }).epochMilliseconds
  }
}
