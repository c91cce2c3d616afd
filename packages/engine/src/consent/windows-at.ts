import type { MaintenanceWindow } from '@landfall/stack'
import { WindowRule } from './window-rule.ts'

export interface WindowsAt {
  open: boolean
  /** When `open` changes next, in milliseconds since the epoch; null: never, or, while it is open, not for two months. */
  changesAt: number | null
}

/** Openings are worked out for this long at a time, and so are remembered. */
const chunkMs = 7 * 86_400_000
/** How far ahead of a chunk's beginning openings are merged. */
const aheadMs = chunkMs + 62 * 86_400_000
const maxKept = 500

interface Chunk {
  /** Merged openings that touch the chunk or the two months after it, in order. */
  openings: readonly [number, number][]
  /** The first opening beyond those. */
  later: number | null
}
const kept = new Map<string, Chunk>()

/**
 * Whether updates may begin at an instant. No window at all is always open; one that can't be read never opens (`checkWindows`
 * refuses such where settings come in). Recurrence by RFC 5545: an opening at a local time that does not exist that day is left
 * out, one at a time that comes twice is at the first. Pure: what is remembered are whole weeks, whatever was asked before.
 *
 * @param now milliseconds since the epoch
 */
export function windowsAt(windows: readonly MaintenanceWindow[], now: number): WindowsAt {
  if (windows.length === 0) return { open: true, changesAt: null }
  const from = Math.floor(now / chunkMs) * chunkMs
  const { openings, later } = chunkOf(windows, from)
  const next = openings.find(([, closes]) => closes > now)
  if (!next) return { open: false, changesAt: later }
  const [opens, closes] = next
  if (opens > now) return { open: false, changesAt: opens }
  return { open: true, changesAt: closes >= from + aheadMs ? null : closes }
}

function chunkOf(windows: readonly MaintenanceWindow[], from: number): Chunk {
  const key = `${from} ${JSON.stringify(windows)}`
  const known = kept.get(key)
  if (known) return known
  const rules = windows.flatMap((window) => ruleOf(window) ?? [])
  const to = from + aheadMs
  const found = rules.flatMap((rule) => safely(() => rule.between(from, to)) ?? [])
  const laters = rules.flatMap((rule) => safely(() => rule.next(to)) ?? [])
  const chunk = { openings: merged(found), later: laters.length > 0 ? Math.min(...laters) : null }
  if (kept.size >= maxKept) kept.delete(kept.keys().next().value ?? '')
  kept.set(key, chunk)
  return chunk
}

function ruleOf(window: MaintenanceWindow): WindowRule | null {
  return safely(() => new WindowRule(window))
}

/** The library throws where it finds no occurrence within its bound. */
function safely<T>(ask: () => T): T | null {
  try {
    return ask()
  } catch {
    return null
  }
}

/** Those that overlap or touch become one. */
function merged(openings: readonly [number, number][]): [number, number][] {
  const result: [number, number][] = []
  for (const [opens, closes] of openings.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last && opens <= last[1]) last[1] = Math.max(last[1], closes)
    else result.push([opens, closes])
  }
  return result
}
