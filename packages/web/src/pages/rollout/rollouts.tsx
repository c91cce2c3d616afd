import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import type { Rollout } from '../../api/types.ts'
import { listed, plural } from '../../format/words.ts'
import { Empty } from '../../ui/feedback.tsx'
import { PagedPage } from '../../ui/paged-list.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
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
  return (
    <PagedPage
      title="Rollouts"
      scope={project}
      list={useInfiniteQuery(q.rolloutPages(project))}
      sentence={sentenceOf}
      keyOf={(item) => item.id}
      caption="Rollouts, newest first"
      columns={[
        { name: 'Release', width: '15%' },
        { name: 'State', width: '13%' },
        { name: 'Waves', width: '22%' },
        { name: 'Why' },
        { name: 'Started', width: '17%' },
      ]}
      row={(item) => <Row project={project} item={item} />}
      card={(item) => <CardOf project={project} item={item} />}
      empty={
        <Empty icon="rollout" title="No rollout yet" teach={['landfall release']}>
          A release starts one by its channel’s plan: waves of deployments, each measured before the next.
        </Empty>
      }
    />
  )
}

interface Of {
  project: string
  item: Rollout
}

function Row({ project, item }: Of) {
  return (
    <>
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
    </>
  )
}

function CardOf({ project, item }: Of) {
  return (
    <>
      <div className="row between">
        <Name project={project} item={item} />
        <Status state={item.phase} />
      </div>
      <Progress item={item} />
      <span className="muted">{item.reason.message}</span>
      <span className="faint">
        <Time at={item.createdAt} /> by {item.createdBy}
      </span>
    </>
  )
}

function Name({ project, item }: Of) {
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
