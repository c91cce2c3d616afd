import { useRef, useState } from 'react'

export interface Steady<T> {
  /** What to show: the rows as they stood, each with its newest content. */
  shown: readonly T[]
  /** How many wait to be let in. */
  fresh: number
  letIn: () => void
  /** Put on the element around the list: while it is pointed at or focused, no row is put in above another. */
  engage: { onPointerEnter: () => void; onPointerLeave: () => void; onFocus: () => void; onBlur: () => void }
}

/**
 * A list that does not move under the pointer: content updates in place and rows that are gone leave, but new rows wait
 * behind "3 new" while the list is in use. `scope` names what the list is of; another scope starts afresh.
 */
export function useSteadyList<T>(items: readonly T[], keyOf: (item: T) => string, scope: string): Steady<T> {
  const known = useRef<{ scope: string; keys: Set<string> }>({ scope: '', keys: new Set() })
  const engaged = useRef(false)
  const [, redraw] = useState(0)
  const keys = items.map(keyOf)
  const started = known.current.scope === scope && known.current.keys.size > 0
  const last = keys.findLastIndex((key) => known.current.keys.has(key))
  // Rows after the last known one move nothing: they are let in at once (a next page, for example).
  const hidden = new Set(started ? keys.filter((key, index) => index < last && !known.current.keys.has(key)) : [])
  const hold = hidden.size > 0 && (engaged.current || window.scrollY > 80)
  if (!hold) hidden.clear()
  known.current = { scope, keys: new Set(keys.filter((key) => !hidden.has(key))) }
  const set = (value: boolean) => () => {
    engaged.current = value
  }
  return {
    shown: hidden.size > 0 ? items.filter((item) => !hidden.has(keyOf(item))) : items,
    fresh: hidden.size,
    letIn: () => {
      known.current = { scope, keys: new Set(keys) }
      redraw((count) => count + 1)
    },
    engage: { onPointerEnter: set(true), onPointerLeave: set(false), onFocus: set(true), onBlur: set(false) },
  }
}
