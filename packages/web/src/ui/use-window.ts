import { type RefObject, useLayoutEffect, useState } from 'react'

const overscan = 12

/**
 * Which rows of a long list are near the view: only those are drawn, with space kept for the others, so that thousands
 * of rows scroll like twenty. Rows are of one height, in pixels; the page itself scrolls.
 */
export function useWindow(ref: RefObject<HTMLElement | null>, count: number, rowHeight: number) {
  const [range, setRange] = useState({ from: 0, to: Math.min(count, 40) })
  useLayoutEffect(() => {
    const measure = () => {
      const top = ref.current?.getBoundingClientRect().top ?? 0
      const from = Math.max(0, Math.floor(-top / rowHeight) - overscan)
      const to = Math.min(count, Math.ceil((window.innerHeight - top) / rowHeight) + overscan)
      setRange((old) => (old.from === from && old.to === to ? old : { from, to: Math.max(to, from) }))
    }
    measure()
    window.addEventListener('scroll', measure, { passive: true })
    window.addEventListener('resize', measure)
    return () => {
      window.removeEventListener('scroll', measure)
      window.removeEventListener('resize', measure)
    }
  }, [ref, count, rowHeight])
  return { ...range, before: range.from * rowHeight, after: Math.max(0, count - range.to) * rowHeight }
}
