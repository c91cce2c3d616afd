import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import type { Rollout } from '../../api/types.ts'
import { listed, plural } from '../../format/words.ts'
import { Empty, PageSkeleton } from '../../ui/feedback.tsx'
import { Fresh } from '../../ui/fresh.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { PageFailed } from '../../ui/page-failed.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { useNarrow } from '../../ui/use-media.ts'
import { useSteadyList } from '../../ui/use-steady-list.ts'
import { WaveSegments } from './waves.tsx'

const route = getRouteApi('/p/$project/rollouts')

function sentenceOf(items: readonly Rollout[]): string {
  const active = items.filter((item) => item.finishedAt === null)
  const newest = items[0]
  if (!newest) return 'No release was rolled out yet.'
  if (active.length === 0) return `Nothing moves now. The last rollout, of ${newest.version}, ${outcome(newest)}.`
  const names = listed(active.map((item) => `${item.version} to ${item.channel}`))
  const waiting = active.filter((item) => item.phase === 'paused').length
  return `${plural(active.length, 'rollout is', 'rollouts are')} moving: ${names}${waiting > 0 ? `; ${waiting} of them paused and waiting for a person` : ''}.`
}

const outcome = (rollout: Rollout) =>
  ({ complete: 'is complete', aborted: 'was aborted', superseded: 'was superseded' })[rollout.phase as string] ??
  `is ${rollout.phase}`

/** What is moving, and what moved. */
export function Rollouts() {
  const { project } = route.useParams()
  const list = useQuery(q.rollouts(project))
  const steady = useSteadyList(list.data?.items ?? [], (item) => item.id, project)
  const narrow = useNarrow()
  if (list.isPending) return <PageSkeleton title="Rollouts" blocks={[320]} />
  if (list.isError) return <PageFailed title="Rollouts" error={list.error} again={() => void list.refetch()} />
  return (
    <Page title="Rollouts" browserTitle={`Rollouts of ${project}`} sentence={sentenceOf(list.data.items)}>
      <div {...steady.engage}>
        <Fresh count={steady.fresh} letIn={steady.letIn} />
        {steady.shown.length === 0 ? (
          <Card>
            <Empty icon="rollout" title="No rollout yet" teach={['landfall release']}>
              A release starts one by its channel’s plan: waves of deployments, each measured before the next.
            </Empty>
          </Card>
        ) : narrow ? (
          <ul className="cards">
            {steady.shown.map((item) => (
              <li key={item.id} className="card-item">
                <div className="row between">
                  <Name project={project} item={item} />
                  <Status state={item.phase} />
                </div>
                <Progress item={item} />
                <span className="muted">{item.reason.message}</span>
                <span className="faint">
                  <Time at={item.createdAt} /> by {item.createdBy}
                </span>
              </li>
            ))}
          </ul>
        ) : (
          <div className="table-wrap">
            <table className="table">
              <caption className="visually-hidden">Rollouts, newest first</caption>
              <colgroup>
                <col style={{ width: '15%' }} />
                <col style={{ width: '13%' }} />
                <col style={{ width: '22%' }} />
                <col />
                <col style={{ width: '17%' }} />
              </colgroup>
              <thead>
                <tr>
                  <th scope="col">Release</th>
                  <th scope="col">State</th>
                  <th scope="col">Waves</th>
                  <th scope="col">Why</th>
                  <th scope="col">Started</th>
                </tr>
              </thead>
              <tbody>
                {steady.shown.map((item) => (
                  <tr key={item.id}>
                    <td>
                      <Name project={project} item={item} />
                    </td>
                    <td>
                      <Status state={item.phase} />
                    </td>
                    <td>
                      <Progress item={item} />
                    </td>
                    <td>{item.reason.message}</td>
                    <td>
                      <span className="two-line">
                        <Time at={item.createdAt} />
                        <small className="truncate">{item.createdBy}</small>
                      </span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </Page>
  )
}

function Name({ project, item }: { project: string; item: Rollout }) {
  return (
    <span className="two-line">
      <Link to="/p/$project/rollouts/$rollout" params={{ project, rollout: item.id }} className="name">
        {item.version}
      </Link>
      <small>to {item.channel}</small>
    </span>
  )
}

/** All waves in one line, each as wide as it has deployments. */
function Progress({ item }: { item: Rollout }) {
  const there = item.waves.reduce((sum, wave) => sum + wave.succeeded, 0)
  const counted = item.waves.reduce((sum, wave) => sum + wave.counted, 0)
  return (
    <span className="stack tight">
      <span className="row tight" style={{ flexWrap: 'nowrap' }}>
        {item.waves.map((wave) => (
          <span key={wave.name} style={{ flex: Math.max(1, wave.counted) }}>
            <WaveSegments wave={wave} />
          </span>
        ))}
      </span>
      <small className="faint">
        {there} of {counted} there
      </small>
    </span>
  )
}
