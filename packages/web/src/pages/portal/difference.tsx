import type { PortalRequest } from '../../api/types.ts'
import { Words } from '../../ui/words.tsx'

/** What would change, in plain words. */
export function Difference({ lines, since }: { lines: PortalRequest['difference']; since?: string | undefined }) {
  if (lines.length === 0) {
    return (
      <p className="muted">Nothing that runs, and nothing that it may do, differs{since ? ` from ${since}` : ''}.</p>
    )
  }
  return (
    <div className="stack tight">
      <span className="muted">What changes{since ? ` against ${since}` : ''}:</span>
      <ul className="stack tight">
        {lines.map((line) => (
          <li key={`${line.area} ${line.change}`} className="difference">
            <span className="tag">{line.area}</span>
            <span>
              <Words text={line.change} />
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
