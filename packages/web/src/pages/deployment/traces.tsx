import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import * as q from '../../api/queries.ts'
import type { TraceSummary } from '../../api/types.ts'
import { lengthOfTime } from '../../format/time.ts'
import { plural } from '../../format/words.ts'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { Checkbox } from '../../ui/field.tsx'
import { Card } from '../../ui/page.tsx'
import { Select } from '../../ui/select.tsx'
import { Time } from '../../ui/time.tsx'
import { useNarrow } from '../../ui/use-media.ts'
import { Dropped } from './dropped.tsx'
import { TraceView } from './trace.tsx'

const route = getRouteApi('/p/$project/deployments/$deployment/traces')
const spans = [
  { value: '60', label: 'Last hour' },
  { value: '360', label: 'Last 6 hours' },
  { value: '1440', label: 'Last day' },
]

/** What single requests caused, over all workers: the newest, and one of them span by span. */
export function Traces() {
  const { project, deployment } = route.useParams()
  const { errors = false, trace } = route.useSearch()
  const navigate = route.useNavigate()
  const [minutes, setMinutes] = useState('60')
  const query = useQuery(q.traces(project, deployment, Number(minutes), errors))
  return (
    <div className="stack wide">
      <div className="row">
        <Select filter label="Time" value={minutes} onChange={setMinutes} options={spans} />
        <Checkbox
          label="Only with errors"
          selected={errors}
          onChange={(only) =>
            void navigate({
              search: (old) => ({ ...old, errors: only || undefined }),
              replace: true,
              resetScroll: false,
            })
          }
        />
      </div>
      {trace !== undefined && <TraceView project={project} deployment={deployment} id={trace} />}
      {query.isError && <Failed error={query.error} again={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={240} />}
      <Dropped drops={query.data?.dropped ?? []} what="traces" />
      {query.data?.items.length === 0 && (
        <Card>
          <Empty icon="signal" title={errors ? 'No trace with an error in this time' : 'No trace in this time'}>
            Traces come by OTLP from the workers. Where the customer turned telemetry off, none come.
          </Empty>
        </Card>
      )}
      {query.data && query.data.items.length > 0 && (
        <List items={query.data.items} project={project} deployment={deployment} shown={trace} />
      )}
    </div>
  )
}

function List({
  items,
  project,
  deployment,
  shown,
}: {
  items: readonly TraceSummary[]
  project: string
  deployment: string
  shown: string | undefined
}) {
  const narrow = useNarrow()
  const name = (item: TraceSummary) => (
    <Link
      to="/p/$project/deployments/$deployment/traces"
      params={{ project, deployment }}
      search={(old: { errors?: boolean | undefined }) => ({ ...old, trace: item.trace })}
      resetScroll={false}
      className="name truncate"
      aria-current={item.trace === shown ? 'true' : undefined}
    >
      {item.name}
    </Link>
  )
  const errors = (item: TraceSummary) =>
    item.errors > 0 ? <span className="status danger">{plural(item.errors, 'error')}</span> : null
  if (narrow) {
    return (
      <ul className="cards">
        {items.map((item) => (
          <li key={item.trace} className="card-item">
            <div className="row between">
              {name(item)}
              <span className="num">{lengthOfTime(item.durationMs)}</span>
            </div>
            <span className="row between faint">
              <span>{item.workers.join(', ')}</span>
              <Time at={item.at} />
            </span>
            {errors(item)}
          </li>
        ))}
      </ul>
    )
  }
  return (
    <div className="table-wrap">
      <table className="table">
        <caption className="visually-hidden">Traces, newest first</caption>
        <colgroup>
          <col />
          <col style={{ width: '14%' }} />
          <col style={{ width: '12%' }} />
          <col style={{ width: '16%' }} />
          <col style={{ width: '22%' }} />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">When</th>
            <th scope="col">Took</th>
            <th scope="col">Spans</th>
            <th scope="col">Workers</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.trace}>
              <td className="truncate">{name(item)}</td>
              <td className="muted">
                <Time at={item.at} />
              </td>
              <td>{lengthOfTime(item.durationMs)}</td>
              <td>
                {item.spans} {errors(item)}
              </td>
              <td className="truncate">
                {item.workers.join(', ')} <span className="faint">{item.versions.join(', ')}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
