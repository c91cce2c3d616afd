import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, Outlet, useNavigate } from '@tanstack/react-router'
import { useLive } from '../api/live.ts'
import * as q from '../api/queries.ts'
import { Button } from '../ui/button.tsx'
import { Icon, type IconName, Mark } from '../ui/icon.tsx'
import { Menu } from '../ui/menu.tsx'
import { LiveDot, LostBar } from './connection.tsx'
import { useSignInWhenNeeded } from './session.tsx'
import { Shortcuts } from './shortcuts.tsx'
import { UserMenu } from './user-menu.tsx'

const route = getRouteApi('/p/$project')

const places: readonly { to: '/p/$project' | `/p/$project/${string}`; name: string; icon: IconName }[] = [
  { to: '/p/$project', name: 'Fleet', icon: 'fleet' },
  { to: '/p/$project/rollouts', name: 'Rollouts', icon: 'rollout' },
  { to: '/p/$project/releases', name: 'Releases', icon: 'release' },
  { to: '/p/$project/audit', name: 'Audit', icon: 'audit' },
  { to: '/p/$project/settings', name: 'Settings', icon: 'settings' },
]

/** What stands around every page of a project: where one is, where one can go, and whether what is shown is live. */
export function ProjectFrame() {
  const { project } = route.useParams()
  useSignInWhenNeeded()
  useLive(project)
  const rollouts = useQuery(q.rollouts(project))
  const active = rollouts.data?.items.filter((item) => item.finishedAt === null).length ?? 0
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="mobile-head">
        <Link to="/" className="brand" aria-label="Landfall: all projects">
          <Mark />
        </Link>
        <ProjectSwitcher project={project} />
        <LiveDot />
        <UserMenu compact />
      </header>
      <div className="side">
        <Link to="/" className="brand">
          <Mark />
          <span>Landfall</span>
        </Link>
        <div className="switcher">
          <ProjectSwitcher project={project} />
        </div>
        <nav className="nav" aria-label="Project">
          {places.map((place) => (
            <Link
              key={place.to}
              to={place.to as '/p/$project'}
              params={{ project }}
              activeOptions={{ exact: place.name === 'Fleet', includeSearch: false }}
              activeProps={{ className: 'active' }}
            >
              <Icon name={place.icon} />
              {place.name}
              {place.name === 'Rollouts' && active > 0 && (
                <span className="count">
                  {active}
                  <span className="visually-hidden"> in progress</span>
                </span>
              )}
            </Link>
          ))}
        </nav>
        <div className="side-foot">
          <LiveDot />
          <UserMenu />
        </div>
      </div>
      <main className="content" id="content" tabIndex={-1}>
        <LostBar />
        <Outlet />
      </main>
      <Shortcuts project={project} />
    </div>
  )
}

function ProjectSwitcher({ project }: { project: string }) {
  const list = useQuery(q.projects())
  const navigate = useNavigate()
  const items = list.data?.items ?? []
  return (
    <Menu
      label="Projects"
      trigger={
        <Button className="full between" aria-label={`Project ${project}: change`}>
          <span className="truncate">{project}</span>
          <Icon name="down" size={14} />
        </Button>
      }
      choices={[
        ...items.map((item) => ({
          id: item.name,
          label: item.name,
          checked: item.name === project,
          onAction: () => void navigate({ to: '/p/$project', params: { project: item.name } }),
        })),
        {
          id: '/all',
          label: 'All projects',
          icon: 'fleet' as const,
          onAction: () => void navigate({ to: '/', search: {} }),
        },
      ]}
    />
  )
}
