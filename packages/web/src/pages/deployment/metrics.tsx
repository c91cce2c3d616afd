import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import * as q from '../../api/queries.ts'
import type { DeploymentDetail, MetricSeries } from '../../api/types.ts'
import { type Line, LineChart } from '../../charts/line-chart.tsx'
import { plural } from '../../format/words.ts'
import { Empty, Failed, Skeleton } from '../../ui/feedback.tsx'
import { Card } from '../../ui/page.tsx'
import { Select } from '../../ui/select.tsx'
import { Time } from '../../ui/time.tsx'
import { Dropped } from './dropped.tsx'
import { chartsOf, formatOf, withErrorRates } from './metric-series.ts'

const route = getRouteApi('/p/$project/deployments/$deployment/metrics')
const spans = [
  { value: '15', label: 'Last 15 minutes' },
  { value: '60', label: 'Last hour' },
  { value: '360', label: 'Last 6 hours' },
  { value: '1440', label: 'Last day' },
]

/** Requests, errors and latency of each worker, the two versions against each other. */
export function Metrics() {
  const { project, deployment } = route.useParams()
  const [minutes, setMinutes] = useState('15')
  const { metric } = route.useSearch()
  const navigate = route.useNavigate()
  const detail = useQuery(q.deployment(project, deployment))
  const query = useQuery(q.metrics(project, deployment, Number(minutes), metric))
  const series = withErrorRates(query.data?.series ?? [])
  // Those of a worker stay to be chosen while another time or metric loads.
  const own = useQuery(q.metrics(project, deployment, Number(minutes))).data?.metrics ?? []
  const workers = [...new Set(series.map((each) => each.worker))]
  return (
    <div className="stack wide">
      <div className="row between">
        <span className="row">
          <Select filter label="Time" value={minutes} onChange={setMinutes} options={spans} />
          {(own.length > 0 || metric !== undefined) && (
            <Select
              filter
              label="Requests, errors and latency"
              value={metric ?? ''}
              onChange={(next) =>
                void navigate({ search: { metric: next || undefined }, replace: true, resetScroll: false })
              }
              options={[
                { value: '', label: 'Requests, errors and latency' },
                ...[...new Set([...own.map((each) => each.metric), ...(metric === undefined ? [] : [metric])])].map(
                  (name) => ({ value: name, label: name }),
                ),
              ]}
            />
          )}
        </span>
        {query.data?.through && (
          <span className="faint">
            complete up to <Time at={query.data.through} />
          </span>
        )}
      </div>
      {query.isError && <Failed error={query.error} again={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={320} />}
      <Dropped drops={query.data?.dropped ?? []} what="metrics" />
      {query.data?.more !== undefined && query.data.more > 0 && (
        <p className="muted">{plural(query.data.more, 'series', 'series')} more of this metric are not shown.</p>
      )}
      {query.isSuccess && series.length === 0 && (
        <Card>
          <Empty icon="signal" title="Nothing was measured in this time">
            Metrics come with requests. Where the customer turned telemetry off, none come.
          </Empty>
        </Card>
      )}
      {workers.map((worker) => (
        <section key={worker} className="stack" aria-label={worker}>
          <h2>{worker}</h2>
          <div className="chart-grid">
            {chartsOf(series.filter((each) => each.worker === worker)).map(({ title, series: of }) => {
              return (
                <Card key={title}>
                  <LineChart
                    title={title}
                    lines={linesOf(of, worker, detail.data)}
                    format={formatOf(of[0]?.unit ?? '')}
                    least={of[0]?.unit === '1' ? 0.01 : 0}
                  />
                </Card>
              )
            })}
          </div>
        </section>
      ))}
    </div>
  )
}

/** Which side each version is on: what is stable now; what came after it, and may be gone again; what was before. */
function linesOf(series: readonly MetricSeries[], worker: string, detail: DeploymentDetail | undefined): Line[] {
  const rollout = detail?.workers.find((each) => each.worker === worker)
  const stable = rollout?.stableVersion ?? detail?.actual?.version
  const beginOf = (each: MetricSeries | undefined) => each?.points.find(([, value]) => value !== null)?.[0] ?? 0
  const stableBegan = beginOf(series.find((each) => each.version === stable))
  return [...series]
    .sort((a, b) => beginOf(a) - beginOf(b))
    .map((each) => ({
      name: each.version,
      role: each.version === stable ? 'stable' : beginOf(each) > stableBegan ? 'candidate' : 'other',
      points: each.points,
    }))
}
