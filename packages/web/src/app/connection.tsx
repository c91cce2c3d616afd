import { useEffect, useState } from 'react'
import { useConnection } from '../api/live.ts'
import { clockTime } from '../format/time.ts'
import { Notice } from '../ui/feedback.tsx'

const words = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost' }

/** Whether what is shown is live. */
export function LiveDot() {
  const { status } = useConnection()
  return (
    <span className={`live ${status}`} title={status === 'live' ? 'Changes appear by themselves' : undefined}>
      <i className="dot" />
      {words[status]}
    </span>
  )
}

/** A moment without a connection is nobody's concern; longer than this, in milliseconds, is said. */
const patience = 1_500

/** Says that what is shown may be old, and since when; goes away by itself when the connection is back. */
export function LostBar() {
  const { status, since } = useConnection()
  const [said, setSaid] = useState(false)
  useEffect(() => {
    if (status === 'live') return setSaid(false)
    if (status !== 'lost') return
    const timer = setTimeout(() => setSaid(true), patience)
    return () => clearTimeout(timer)
  }, [status])
  return (
    <div role="status">
      {said && status !== 'live' && (
        <Notice tone="attention" icon="warning" className="lost-bar">
          <strong>The manager does not answer.</strong>
          <span>What you see is as of {clockTime(since)}. This page keeps trying and catches up by itself.</span>
        </Notice>
      )}
    </div>
  )
}
