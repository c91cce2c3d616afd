import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import * as q from '../../api/queries.ts'
import { clockTime, exactTime } from '../../format/time.ts'
import { Button } from '../../ui/button.tsx'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { SearchField } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import { type LogFilter, useLogTail } from './use-log-tail.ts'

const route = getRouteApi('/p/$project/deployments/$deployment/logs')
const severities = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
/** Within so many pixels of the end, new lines keep the end in view. */
const nearEnd = 40

/** The newest lines, following by themselves; scrolled up, they wait. */
export function Logs() {
  const { project, deployment } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const detail = useQuery(q.deployment(project, deployment))
  const [following, setFollowing] = useState(true)
  const filter: LogFilter = {
    text: search.text,
    worker: search.worker,
    severity: severities.find((severity) => severity === search.severity),
  }
  const tail = useLogTail(project, deployment, filter, following)
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const last = tail.lines.at(-1)?.id
  useEffect(() => {
    if (last !== undefined && atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [last])
  const set = (change: typeof search) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false })
  const workers = detail.data?.workers.map((worker) => worker.worker) ?? []
  return (
    <div className="stack">
      <div className="filters">
        <SearchField
          label="Search the lines"
          value={search.text ?? ''}
          onChange={(text) => set({ text: text || undefined })}
        />
        <Select
          filter
          label="Worker"
          value={search.worker ?? ''}
          onChange={(worker) => set({ worker: worker || undefined })}
          options={[{ value: '', label: 'Any worker' }, ...workers.map((value) => ({ value, label: value }))]}
        />
        <Select
          filter
          label="Severity"
          value={search.severity ?? ''}
          onChange={(severity) => set({ severity: severity || undefined })}
          options={[
            { value: '', label: 'Any severity' },
            ...severities.map((value) => ({ value, label: value === 'fatal' ? value : `${value} and worse` })),
          ]}
        />
        <Button icon={following ? 'pause' : 'play'} onPress={() => setFollowing(!following)}>
          {following ? 'Stop following' : 'Follow'}
        </Button>
        <span className="faint">
          {tail.lines.length} lines{tail.missed ? ', older ones left out' : ''}
        </span>
      </div>
      {tail.error !== null && <Failed error={tail.error} />}
      {tail.pending ? (
        <Skeleton height={420} />
      ) : tail.lines.length === 0 ? (
        <div className="card">
          <Empty icon="terminal" title="No line matches">
            {Object.values(filter).some((value) => value !== undefined)
              ? 'Take a filter away; lines appear here as they come.'
              : 'Lines appear here as the workers write them. Where the customer turned telemetry off, none come.'}
          </Empty>
        </div>
      ) : (
        <div
          className="logs"
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll region must be reachable by keyboard
          tabIndex={0}
          role="log"
          aria-label="Log lines"
          aria-live="off"
          onScroll={(event) => {
            const at = event.currentTarget
            atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < nearEnd
          }}
        >
          {tail.lines.map((line) => (
            <div key={line.id} className={`log ${line.severity}`}>
              <time dateTime={line.at} title={exactTime(Date.parse(line.at))} className="faint">
                {clockTime(Date.parse(line.at))}
              </time>
              <span className="severity">{line.severity}</span>
              <span className="faint truncate">
                {line.worker}
                {line.version && ` ${line.version}`}
              </span>
              <span className="body">{line.body}</span>
            </div>
          ))}
        </div>
      )}
    </div>
  )
}
