import { Code } from './copy.tsx'
import { toneOf } from './status.tsx'
import { Time } from './time.tsx'

interface Entry {
  at: string | number
  code: string
  message: string
  by?: string | null | undefined
}

const toneOfCode = (text: string) => {
  const code = text.toLowerCase()
  if (/fail|abort|worse|crash|reject|blocked/.test(code)) return 'danger'
  if (/pause|hold|freeze|wait|return|rolled-back/.test(code)) return 'attention'
  if (/pass|complete|promoted|succeed/.test(code)) return 'good'
  return toneOf(code)
}

/** What was decided, newest first, by whom (the plan itself where nobody is named). */
export function Timeline({ entries }: { entries: readonly Entry[] }) {
  if (entries.length === 0) return <p className="faint">Nothing was decided yet.</p>
  const newestFirst = [...entries].reverse()
  return (
    <ol className="timeline">
      {newestFirst.map((entry) => (
        <li key={`${entry.at} ${entry.code} ${entry.message}`}>
          <span className={`dot ${toneOfCode(entry.code)}`} />
          <span>{entry.message}</span>
          <Time at={entry.at} />
          <span className="meta">
            <Code code={entry.code} />
            {entry.by && <span>by {entry.by}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}
