import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, Outlet } from '@tanstack/react-router'
import * as q from '../../api/queries.ts'
import { useMay } from '../../app/session.tsx'
import { PageSkeleton } from '../../ui/feedback.tsx'
import { ModelWord } from '../../ui/model.tsx'
import { Page } from '../../ui/page.tsx'
import { PageFailed } from '../../ui/page-failed.tsx'
import { Status } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { DeploymentActions } from './actions.tsx'

const route = getRouteApi('/p/$project/deployments/$deployment')
const parts = [
  { to: '/p/$project/deployments/$deployment', name: 'Overview' },
  { to: '/p/$project/deployments/$deployment/logs', name: 'Logs' },
  { to: '/p/$project/deployments/$deployment/metrics', name: 'Metrics' },
  { to: '/p/$project/deployments/$deployment/traces', name: 'Traces' },
  { to: '/p/$project/deployments/$deployment/commands', name: 'Commands' },
  { to: '/p/$project/deployments/$deployment/config', name: 'Config' },
  { to: '/p/$project/deployments/$deployment/audit', name: 'Audit' },
] as const

/** Why is this one not where it should be? */
export function DeploymentPage() {
  const { project, deployment: name } = route.useParams()
  const query = useQuery(q.deployment(project, name))
  const explanation = useQuery(q.explanation(project, name))
  const may = useMay(project)
  if (query.isPending) return <PageSkeleton title={name} blocks={[44, 220, 280]} />
  if (query.isError) return <PageFailed title={name} error={query.error} again={() => void query.refetch()} />
  const item = query.data
  return (
    <Page
      entity
      title={item.name}
      above={
        <Link to="/p/$project" params={{ project }} search={{}}>
          Fleet
        </Link>
      }
      beside={
        <>
          <Status state={item.health} boxed />
          {item.phase !== 'running' && item.phase !== item.health && <Status state={item.phase} boxed />}
          <span className="faint">
            {item.group ?? 'no group'} · <ModelWord model={item.model} /> · {item.platform} · seen{' '}
            <Time at={item.lastSeenAt} />
          </span>
        </>
      }
      sentence={explanation.data?.sentence ?? item.reason.message}
      actions={may('developer') && <DeploymentActions project={project} item={item} admin={may('admin')} />}
    >
      <nav className="tabs" aria-label={`Parts of ${item.name}`}>
        {parts.map((part) => (
          <Link
            key={part.name}
            to={part.to}
            params={{ project, deployment: name }}
            activeOptions={{ exact: part.name === 'Overview', includeSearch: false }}
            activeProps={{ className: 'active' }}
            resetScroll={false}
          >
            {part.name}
          </Link>
        ))}
      </nav>
      <Outlet />
    </Page>
  )
}
