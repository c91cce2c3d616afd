import { type RefObject, useLayoutEffect, useState } from 'react'

/** The width of an element in pixels, as it changes. */
export function useWidth(ref: RefObject<HTMLElement | null>, initial = 640): number {
  const [width, setWidth] = useState(initial)
  useLayoutEffect(() => {
    const element = ref.current
    if (!element) return
    const observer = new ResizeObserver(() => setWidth(Math.max(200, element.clientWidth)))
    observer.observe(element)
    setWidth(Math.max(200, element.clientWidth))
    return () => observer.disconnect()
  }, [ref])
  return width
}
