import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router'
import { Announcements } from '../ui/announce.tsx'
import { PageSkeleton } from '../ui/feedback.tsx'
import { NotFound, PageError } from './not-found.tsx'
import { ProjectFrame } from './project-frame.tsx'

const word = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
/** Only a path of our own: a sign-in link must not lead elsewhere. */
const ownPath = (value: unknown) => (typeof value === 'string' && /^\/(?![/\\])/.test(value) ? value : undefined)
const models = ['push', 'pull', 'airgapped'] as const
const healths = ['healthy', 'degraded', 'failed', 'unknown'] as const

const root = createRootRoute({
  component: () => (
    <>
      <Outlet />
      <Announcements />
    </>
  ),
  notFoundComponent: NotFound,
})

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('../pages/home/home.tsx'), 'Home'),
})
const account = createRoute({
  getParentRoute: () => root,
  path: '/account',
  component: lazyRouteComponent(() => import('../pages/account/account.tsx'), 'Account'),
})
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search): { to?: string | undefined; problem?: string | undefined } => ({
    to: ownPath(search.to),
    problem: word(search.problem),
  }),
  component: lazyRouteComponent(() => import('../pages/door/sign-in.tsx'), 'SignIn'),
})
const token = (search: Record<string, unknown>): { token?: string | undefined } => ({
  // A token of digits alone would have been read as a number.
  token: search.token === undefined ? undefined : String(search.token),
})
const bootstrap = createRoute({
  getParentRoute: () => root,
  path: '/bootstrap',
  validateSearch: token,
  component: lazyRouteComponent(() => import('../pages/door/first-account.tsx'), 'FirstAccount'),
})
const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  validateSearch: token,
  component: lazyRouteComponent(() => import('../pages/door/first-account.tsx'), 'Invitation'),
})

const portal = createRoute({
  getParentRoute: () => root,
  path: '/portal',
  component: lazyRouteComponent(() => import('../pages/portal/portal.tsx'), 'PortalPage'),
})

const project = createRoute({ getParentRoute: () => root, path: '/p/$project', component: ProjectFrame })
const fleet = createRoute({
  getParentRoute: () => project,
  path: '/',
  validateSearch: (
    search,
  ): {
    text?: string | undefined
    group?: string | undefined
    channel?: string | undefined
    version?: string | undefined
    phase?: string | undefined
    model?: (typeof models)[number] | undefined
    health?: (typeof healths)[number] | undefined
  } => ({
    text: word(search.text),
    group: word(search.group),
    channel: word(search.channel),
    version: word(search.version),
    phase: word(search.phase),
    model: models.find((model) => model === search.model),
    health: healths.find((health) => health === search.health),
  }),
  component: lazyRouteComponent(() => import('../pages/fleet/fleet.tsx'), 'Fleet'),
})
const rollouts = createRoute({
  getParentRoute: () => project,
  path: 'rollouts',
  component: lazyRouteComponent(() => import('../pages/rollout/rollouts.tsx'), 'Rollouts'),
})
const rollout = createRoute({
  getParentRoute: () => project,
  path: 'rollouts/$rollout',
  component: lazyRouteComponent(() => import('../pages/rollout/rollout.tsx'), 'RolloutPage'),
})
const releases = createRoute({
  getParentRoute: () => project,
  path: 'releases',
  component: lazyRouteComponent(() => import('../pages/release/releases.tsx'), 'Releases'),
})
const release = createRoute({
  getParentRoute: () => project,
  path: 'releases/$release',
  component: lazyRouteComponent(() => import('../pages/release/release.tsx'), 'ReleasePage'),
})
const audit = createRoute({
  getParentRoute: () => project,
  path: 'audit',
  component: lazyRouteComponent(() => import('../pages/audit/audit.tsx'), 'Audit'),
})
const settings = createRoute({
  getParentRoute: () => project,
  path: 'settings',
  component: lazyRouteComponent(() => import('../pages/settings/settings.tsx'), 'Settings'),
})

const deployment = createRoute({
  getParentRoute: () => project,
  path: 'deployments/$deployment',
  component: lazyRouteComponent(() => import('../pages/deployment/deployment.tsx'), 'DeploymentPage'),
})
const overview = createRoute({
  getParentRoute: () => deployment,
  path: '/',
  component: lazyRouteComponent(() => import('../pages/deployment/overview.tsx'), 'Overview'),
})
const logs = createRoute({
  getParentRoute: () => deployment,
  path: 'logs',
  validateSearch: (
    search,
  ): { text?: string | undefined; worker?: string | undefined; severity?: string | undefined } => ({
    text: word(search.text),
    worker: word(search.worker),
    severity: word(search.severity),
  }),
  component: lazyRouteComponent(() => import('../pages/deployment/logs.tsx'), 'Logs'),
})
const metrics = createRoute({
  getParentRoute: () => deployment,
  path: 'metrics',
  validateSearch: (search): { metric?: string | undefined } => ({ metric: word(search.metric) }),
  component: lazyRouteComponent(() => import('../pages/deployment/metrics.tsx'), 'Metrics'),
})
const traces = createRoute({
  getParentRoute: () => deployment,
  path: 'traces',
  validateSearch: (search): { errors?: boolean | undefined; trace?: string | undefined } => ({
    errors: search.errors === true ? true : undefined,
    // A trace of digits alone would have been read as a number.
    trace: search.trace === undefined ? undefined : String(search.trace),
  }),
  component: lazyRouteComponent(() => import('../pages/deployment/traces.tsx'), 'Traces'),
})
const commands = createRoute({
  getParentRoute: () => deployment,
  path: 'commands',
  validateSearch: (search): { show?: string | undefined } => ({ show: word(search.show) }),
  component: lazyRouteComponent(() => import('../pages/deployment/commands.tsx'), 'Commands'),
})
const config = createRoute({
  getParentRoute: () => deployment,
  path: 'config',
  component: lazyRouteComponent(() => import('../pages/deployment/config.tsx'), 'ConfigPage'),
})
const deploymentAudit = createRoute({
  getParentRoute: () => deployment,
  path: 'audit',
  component: lazyRouteComponent(() => import('../pages/audit/deployment-audit.tsx'), 'DeploymentAudit'),
})

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    account,
    signIn,
    bootstrap,
    invitation,
    portal,
    project.addChildren([
      fleet,
      rollouts,
      rollout,
      releases,
      release,
      audit,
      settings,
      deployment.addChildren([overview, logs, metrics, traces, commands, config, deploymentAudit]),
    ]),
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingComponent: () => <PageSkeleton />,
  defaultErrorComponent: PageError,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
