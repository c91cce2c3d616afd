import { useEffect, useState, useSyncExternalStore } from 'react'

interface Said {
  id: number
  text: string
}
let said: Said | null = null
const listeners = new Set<() => void>()

/** Says something that needs no answer: shown for a while, and read out by a screen reader. */
export function announce(text: string): void {
  said = { id: (said?.id ?? 0) + 1, text }
  for (const listener of listeners) listener()
}

export function Announcements() {
  const current = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => said,
  )
  const [shown, setShown] = useState<Said | null>(null)
  useEffect(() => {
    setShown(current)
    if (!current) return
    const timer = setTimeout(() => setShown(null), 5000)
    return () => clearTimeout(timer)
  }, [current])
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown && <div className="toast">{shown.text}</div>}
    </div>
  )
}
