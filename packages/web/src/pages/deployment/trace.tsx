import { useQuery } from '@tanstack/react-query'
import * as q from '../../api/queries.ts'
import type { Span, Trace } from '../../api/types.ts'
import { clockTime, lengthOfTime } from '../../format/time.ts'
import { plural } from '../../format/words.ts'
import { Copy } from '../../ui/copy.tsx'
import { Failed, Skeleton } from '../../ui/feedback.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'

/** One trace: each span where it began and how long it took, and what was logged meanwhile. */
export function TraceView({ project, deployment, id }: { project: string; deployment: string; id: string }) {
  const query = useQuery(q.trace(project, deployment, id))
  if (query.isPending) return <Skeleton height={200} />
  if (query.isError) return <Failed error={query.error} again={() => void query.refetch()} />
  const trace = query.data
  return (
    <Card
      title={trace.name}
      hint={
        <span className="row tight">
          {plural(trace.spans, 'span')}, {lengthOfTime(trace.durationMs)}
          <span className="mono">{trace.trace.slice(0, 8)}</span>
          <Copy text={trace.trace} what="trace id" />
        </span>
      }
    >
      <div className="stack wide">
        <ol className="spans">
          {trace.items.map((span) => (
            <Line key={span.span} span={span} of={trace} />
          ))}
        </ol>
        {trace.cut && <p className="muted">It has more spans than are shown here.</p>}
        {trace.logs.length > 0 && (
          <div className="stack tight">
            <h3>Logged in it</h3>
            <ul className="stack tight">
              {trace.logs.map((line) => (
                <li
                  key={line.id}
                  className={line.severity === 'error' || line.severity === 'fatal' ? 'failed-line' : undefined}
                >
                  <span className="faint">{clockTime(Date.parse(line.at))}</span> {line.body}
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </Card>
  )
}

/** The deepest that spans are set in; what is deeper stands there too. */
const deepest = 8
/** The narrowest that a bar is drawn, percent. */
const least = 0.6

function Line({ span, of }: { span: Span; of: Trace }) {
  const total = Math.max(of.durationMs, 0.001)
  const left = Math.min(100 - least, (span.offsetMs / total) * 100)
  const width = Math.max(least, Math.min(100 - left, (span.durationMs / total) * 100))
  const failed = span.status === 'error'
  return (
    <li className={failed ? 'span failed' : 'span'}>
      <span className="truncate" style={{ paddingLeft: Math.min(span.depth, deepest) * 14 }} title={span.name}>
        {failed && (
          <>
            <Icon name="failed" size={14} />
            <span className="visually-hidden">failed: </span>
          </>
        )}
        {span.name} <span className="faint">{span.worker ?? ''}</span>
      </span>
      <span className="span-track" aria-hidden="true">
        <i style={{ left: `${left}%`, width: `${width}%` }} />
      </span>
      <span className="num nowrap">{lengthOfTime(span.durationMs)}</span>
      {span.message && <span className="span-message">{span.message}</span>}
    </li>
  )
}
