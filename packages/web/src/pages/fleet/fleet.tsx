import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import type { Fleet as FleetAnswer, Rollout } from '../../api/types.ts'
import { Empty, Notice, PageSkeleton } from '../../ui/feedback.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { PageFailed } from '../../ui/page-failed.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { WaveSegments } from '../rollout/waves.tsx'
import { Adoption } from './adoption.tsx'
import { DeploymentTable } from './deployment-table.tsx'

const route = getRouteApi('/p/$project/')

/** Is everything all right? */
export function Fleet() {
  const { project } = route.useParams()
  const fleet = useQuery(q.fleet(project))
  const rollouts = useQuery(q.rollouts(project))
  const freezes = useQuery(q.freezes(project))
  if (fleet.isPending) return <PageSkeleton title="Fleet" blocks={[180, 420]} />
  if (fleet.isError) return <PageFailed title="Fleet" error={fleet.error} again={() => void fleet.refetch()} />
  const active = rollouts.data?.items.filter((rollout) => rollout.finishedAt === null) ?? []
  const frozen = freezes.data?.items.filter((freeze) => freeze.liftedAt === null) ?? []
  return (
    <Page title="Fleet" browserTitle={`Fleet of ${project}`} sentence={fleet.data.sentence}>
      {frozen.map((freeze) => (
        <Notice key={freeze.id} tone="attention" icon="freeze">
          <strong>Frozen: {freeze.reason}</strong>
          <span>
            No deployment starts an update
            {freeze.until ? (
              <>
                ; this ends <Time at={freeze.until} />.
              </>
            ) : (
              ' until the freeze is lifted.'
            )}{' '}
            <Link to="/p/$project/settings" params={{ project }} hash="freezes">
              Freezes
            </Link>
          </span>
        </Notice>
      ))}
      {fleet.data.total === 0 ? (
        <NothingYet project={project} />
      ) : (
        <>
          <div
            className={active.length > 0 ? 'columns side-right' : 'columns'}
            style={active.length > 0 ? undefined : { gridTemplateColumns: 'minmax(0, 1fr)' }}
          >
            <Card title="Adoption" hint="deployments of each group on each version">
              <Adoption project={project} fleet={fleet.data} />
            </Card>
            {active.length > 0 && <Moving project={project} rollouts={active} fleet={fleet.data} />}
          </div>
          <DeploymentTable />
        </>
      )}
    </Page>
  )
}

/** What moves now, in short; the whole of it is one link away. */
function Moving({ project, rollouts }: { project: string; rollouts: readonly Rollout[]; fleet: FleetAnswer }) {
  return (
    <Card title="Moving now">
      <ul className="stack wide">
        {rollouts.slice(0, 3).map((rollout) => {
          const wave = rollout.waves[rollout.wave]
          return (
            <li key={rollout.id} className="stack tight">
              <div className="row between">
                <Link to="/p/$project/rollouts/$rollout" params={{ project, rollout: rollout.id }} className="name">
                  <strong>{rollout.version}</strong> to {rollout.channel}
                </Link>
                <Status state={rollout.phase} boxed />
              </div>
              <span className="muted">{rollout.reason.message}</span>
              {wave && <WaveSegments wave={wave} />}
              <span className="faint">
                started <Time at={rollout.createdAt} /> by {rollout.createdBy}
              </span>
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

function NothingYet({ project }: { project: string }) {
  const releases = useQuery(q.releases(project))
  const released = (releases.data?.items.length ?? 0) > 0
  return (
    <Card>
      {released ? (
        <Empty
          icon="fleet"
          title="No deployment yet"
          teach={['landfall deployments create northwind --platform local --group early']}
        >
          A release is here and waits for a place to run. A deployment is one installation in one customer’s
          environment.
        </Empty>
      ) : (
        <Empty icon="release" title="No release yet" teach={['landfall init', 'landfall release']}>
          Define the stack in <code>landfall.config.ts</code>, then release it: it is built, signed and published here.
        </Empty>
      )}
    </Card>
  )
}
