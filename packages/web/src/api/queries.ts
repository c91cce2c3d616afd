import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

/** What a change of the event stream makes old; the third part of every key of a project. */
export type Kind = 'deployment' | 'rollout' | 'release' | 'command' | 'audit' | 'settings'

/** Everything read of a project is keyed by its kind, so that one change invalidates just what it may have touched. */
export const keyOf = (project: string, kind: Kind, ...rest: readonly unknown[]) =>
  ['p', project, kind, ...rest] as const

export interface DeploymentFilter {
  group?: string | undefined
  channel?: string | undefined
  version?: string | undefined
  health?: 'healthy' | 'degraded' | 'failed' | 'unknown' | undefined
  phase?: string | undefined
  model?: 'push' | 'pull' | 'airgapped' | undefined
  text?: string | undefined
}

/** While something moves, its numbers are read again this often: shares and evidence change without an event. */
const whileMoving = 2_000
/** The first page is drawn soon; the others come in few calls. */
const firstPage = 200
const laterPages = 500

/** Entries of a list that is read on demand. */
const pageOf = (after: string) => ({ limit: 50, ...(after && { after }) })

/** Leaves out what is not set: the API refuses unknown and empty fields. */
function given<T extends object>(filter: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined && value !== '')) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}

export const whoami = () =>
  queryOptions({ queryKey: ['whoami'], queryFn: ({ signal }) => api.whoami({}, { signal }), staleTime: 60_000 })
export const providers = () =>
  queryOptions({ queryKey: ['providers'], queryFn: ({ signal }) => api.authProviders({}, { signal }) })
export const projects = () =>
  queryOptions({ queryKey: ['projects'], queryFn: ({ signal }) => api.listProjects({}, { signal }), staleTime: 30_000 })
export const people = () =>
  queryOptions({ queryKey: ['people'], queryFn: ({ signal }) => api.listUsers({}, { signal }) })
export const ownTokens = () =>
  queryOptions({ queryKey: ['own-tokens'], queryFn: ({ signal }) => api.listOwnTokens({}, { signal }) })

export const fleet = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'deployment', 'fleet'),
    queryFn: ({ signal }) => api.fleet({ params: { project } }, { signal }),
  })
export const deployments = (project: string, filter: DeploymentFilter) =>
  infiniteQueryOptions({
    queryKey: keyOf(project, 'deployment', 'list', given(filter)),
    queryFn: ({ signal, pageParam }) =>
      api.listDeployments(
        {
          params: { project },
          query: {
            ...given(filter),
            limit: pageParam ? laterPages : firstPage,
            ...(pageParam && { after: pageParam }),
          },
        },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })
export const deployment = (project: string, name: string) =>
  queryOptions({
    queryKey: keyOf(project, 'deployment', 'one', name),
    queryFn: ({ signal }) => api.getDeployment({ params: { project, deployment: name } }, { signal }),
    refetchInterval: ({ state }) => (state.data && isMoving(state.data.phase) ? whileMoving : 30_000),
  })
export const explanation = (project: string, name: string) =>
  queryOptions({
    queryKey: keyOf(project, 'deployment', 'explain', name),
    queryFn: ({ signal }) => api.explainDeployment({ params: { project, deployment: name } }, { signal }),
  })
export const config = (project: string, name: string) =>
  queryOptions({
    queryKey: keyOf(project, 'deployment', 'config', name),
    queryFn: ({ signal }) => api.getConfig({ params: { project, deployment: name } }, { signal }),
  })
/** What the customer said and what waits for them, as the vendor may read it. */
export const customer = (project: string, name: string) =>
  queryOptions({
    queryKey: keyOf(project, 'deployment', 'customer', name),
    queryFn: ({ signal }) => api.getPortal({ params: { project, deployment: name } }, { signal }),
  })
export const agent = (project: string, name: string) =>
  queryOptions({
    queryKey: keyOf(project, 'deployment', 'agent', name),
    queryFn: ({ signal }) => api.getAgent({ params: { project, deployment: name } }, { signal }),
    refetchInterval: 10_000,
  })
/** `metric`: one of the workers' own; without it requests, errors and latency. */
export const metrics = (project: string, name: string, minutes: number, metric?: string) =>
  queryOptions({
    queryKey: ['metrics', project, name, minutes, metric],
    queryFn: ({ signal }) =>
      api.getMetrics(
        {
          params: { project, deployment: name },
          query: {
            since: new Date(Date.now() - minutes * 60_000).toISOString(),
            ...(metric !== undefined && { metric }),
          },
        },
        { signal },
      ),
    refetchInterval: 5_000,
  })

export const traces = (project: string, name: string, minutes: number, errors: boolean) =>
  queryOptions({
    queryKey: ['traces', project, name, minutes, errors],
    queryFn: ({ signal }) =>
      api.listTraces(
        {
          params: { project, deployment: name },
          query: {
            limit: 100,
            since: new Date(Date.now() - minutes * 60_000).toISOString(),
            ...(errors && { errors: 'true' as const }),
          },
        },
        { signal },
      ),
    refetchInterval: 10_000,
  })
export const trace = (project: string, name: string, id: string) =>
  queryOptions({
    queryKey: ['trace', project, name, id],
    queryFn: ({ signal }) => api.getTrace({ params: { project, deployment: name, trace: id } }, { signal }),
  })

export const commands = (project: string, name: string) =>
  queryOptions({
    queryKey: keyOf(project, 'command', 'list', name),
    queryFn: ({ signal }) => api.listCommands({ params: { project, deployment: name } }, { signal }),
  })
export const command = (project: string, name: string, id: string) =>
  queryOptions({
    queryKey: keyOf(project, 'command', 'one', name, id),
    queryFn: ({ signal }) => api.getCommand({ params: { project, deployment: name, command: id } }, { signal }),
    refetchInterval: ({ state }) =>
      state.data && (state.data.status === 'running' || state.data.status === 'queued') ? 1_000 : false,
  })

export const rollouts = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'rollout', 'list'),
    queryFn: ({ signal }) => api.listRollouts({ params: { project } }, { signal }),
  })
export const rolloutPages = (project: string) =>
  infiniteQueryOptions({
    queryKey: keyOf(project, 'rollout', 'pages'),
    queryFn: ({ signal, pageParam }) => api.listRollouts({ params: { project }, query: pageOf(pageParam) }, { signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })
export const rollout = (project: string, id: string) =>
  queryOptions({
    queryKey: keyOf(project, 'rollout', 'one', id),
    queryFn: ({ signal }) => api.getRollout({ params: { project, rollout: id } }, { signal }),
    refetchInterval: ({ state }) => (state.data && state.data.finishedAt === null ? whileMoving : 30_000),
  })
export const freezes = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'rollout', 'freezes'),
    queryFn: ({ signal }) => api.listFreezes({ params: { project } }, { signal }),
  })

export const releases = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'release', 'list'),
    queryFn: ({ signal }) => api.listReleases({ params: { project } }, { signal }),
  })
export const releasePages = (project: string) =>
  infiniteQueryOptions({
    queryKey: keyOf(project, 'release', 'pages'),
    queryFn: ({ signal, pageParam }) => api.listReleases({ params: { project }, query: pageOf(pageParam) }, { signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })
export const release = (project: string, name: string) =>
  queryOptions({
    queryKey: keyOf(project, 'release', 'one', name),
    queryFn: ({ signal }) => api.getRelease({ params: { project, release: name } }, { signal }),
  })

/** The audit of a project, or of one deployment, newest first, page by page. */
export const audit = (project: string, name?: string) =>
  infiniteQueryOptions({
    queryKey: keyOf(project, 'audit', name ?? ''),
    queryFn: ({ signal, pageParam }) => {
      const query = pageOf(pageParam)
      return name === undefined
        ? api.listAudit({ params: { project }, query }, { signal })
        : api.listDeploymentAudit({ params: { project, deployment: name }, query }, { signal })
    },
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })

export const members = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'settings', 'members'),
    queryFn: ({ signal }) => api.listMembers({ params: { project } }, { signal }),
  })
export const tokens = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'settings', 'tokens'),
    queryFn: ({ signal }) => api.listTokens({ params: { project } }, { signal }),
  })
export const channels = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'settings', 'channels'),
    queryFn: ({ signal }) => api.listChannels({ params: { project } }, { signal }),
  })
export const groups = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'settings', 'groups'),
    queryFn: ({ signal }) => api.listGroups({ params: { project } }, { signal }),
  })
export const telemetry = (project: string) =>
  queryOptions({
    queryKey: keyOf(project, 'settings', 'telemetry'),
    queryFn: ({ signal }) => api.getTelemetrySettings({ params: { project } }, { signal }),
  })

const isMoving = (phase: string) => ['setting-up', 'updating', 'returning', 'deleting'].includes(phase)
