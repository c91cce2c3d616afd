import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import * as q from '../../api/queries.ts'
import type { RolloutDetail, WorkerRollout } from '../../api/types.ts'
import { seriesOf } from '../../charts/evidence.ts'
import { EvidencePlot } from '../../charts/evidence-plot.tsx'
import { Skeleton } from '../../ui/feedback.tsx'
import { Card } from '../../ui/page.tsx'
import { Select } from '../../ui/select.tsx'

const measured = ['failed', 'in-flight', 'returning', 'returned', 'succeeded']

/** First what says why it failed, also when it is back by now. */
const rank = ({ status, reason }: RolloutDetail['members'][number]) =>
  reason && status.startsWith('return') ? 0 : measured.indexOf(status)

/** A deployment keeps the measurement of its newest update only: one that began after this rollout's end is another's. */
function isOfRollout(worker: WorkerRollout, rollout: RolloutDetail): boolean {
  const first = [...seriesOf(worker.series).values()].flat()[0]
  if (!first) return false
  return (
    first.at >= Date.parse(rollout.createdAt) &&
    (rollout.finishedAt === null || first.at <= Date.parse(rollout.finishedAt))
  )
}

/** The measurement of one deployment of the rollout: first the one that failed, else one that moves. */
export function Evidence({ project, rollout }: { project: string; rollout: RolloutDetail }) {
  const candidates = rollout.members
    .filter((member) => measured.includes(member.status))
    .sort((a, b) => rank(a) - rank(b))
  const [chosen, setChosen] = useState('')
  const name = candidates.some((member) => member.name === chosen) ? chosen : (candidates[0]?.name ?? '')
  const detail = useQuery({ ...q.deployment(project, name), enabled: name !== '' })
  if (name === '') return null
  const all = detail.data?.workers.filter((worker) => worker.series.length > 0) ?? []
  const workers = all.filter((worker) => isOfRollout(worker, rollout))
  return (
    <Card
      title="Evidence"
      hint={
        <Select
          filter
          label="Deployment"
          value={name}
          onChange={setChosen}
          options={candidates.map((member) => ({ value: member.name, label: member.name }))}
        />
      }
    >
      {detail.isPending ? (
        <Skeleton height={216} />
      ) : workers.length === 0 ? (
        <p className="muted">
          Nothing was measured on{' '}
          <Link to="/p/$project/deployments/$deployment" params={{ project, deployment: name }}>
            {name}
          </Link>
          {all.length > 0
            ? ' that is still kept: another update was measured since, and stands on its own page.'
            : ': it has not begun to shift traffic, or its first release skips the steps.'}
        </p>
      ) : (
        <div className="stack wide">
          {workers.map((worker) =>
            [...seriesOf(worker.series)].map(([analysis, series]) => (
              <EvidencePlot
                key={`${worker.worker} ${analysis}`}
                series={series}
                shares={worker.steps.map((step) => step.share)}
              />
            )),
          )}
        </div>
      )}
    </Card>
  )
}
