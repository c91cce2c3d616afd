import { type Client, createClient } from '@landfall/contract'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { failureOf } from './failure.ts'
import type { Visit } from './visit.ts'

/** A visit that can still ask. */
export type LiveVisit = Visit & { token: string }

/** Deployer tokens may not open the project's event stream: the page asks again, this often, while it is looked at. Milliseconds. */
const interval = 5_000
const auditPage = 15

/** The API as the customer: by the link's token alone, whoever else may be signed in in this browser. */
export function customerApi(visit: LiveVisit): Client {
  return createClient({
    url: location.origin,
    token: visit.token,
    fetch: (input, init) => fetch(input, { ...init, credentials: 'omit', referrerPolicy: 'no-referrer' }),
  })
}

/** What the manager says of a token that opens nothing any more, and of a deployment that is gone. */
const ends = new Set([
  'E_TOKEN_EXPIRED',
  'E_TOKEN_REVOKED',
  'E_TOKEN_INVALID',
  'E_UNAUTHENTICATED',
  'E_UNAUTHORIZED',
  'E_FORBIDDEN',
  'E_NOT_FOUND',
])
export const isOver = (error: unknown): boolean => ends.has(failureOf(error).code)

const keyOf = (visit: Visit, ...rest: readonly string[]) =>
  ['portal', visit.project, visit.deployment, visit.token?.slice(-8), ...rest] as const
const paramsOf = (visit: Visit) => ({ project: visit.project, deployment: visit.deployment })

export const portal = (visit: LiveVisit) =>
  queryOptions({
    queryKey: keyOf(visit, 'page'),
    queryFn: ({ signal }) => customerApi(visit).getPortal({ params: paramsOf(visit) }, { signal }),
    // A link that has ended stays so: nobody is asked on and on.
    refetchInterval: ({ state }) => (state.error && isOver(state.error) ? false : interval),
    refetchIntervalInBackground: false,
  })

export const portalAudit = (visit: LiveVisit) =>
  infiniteQueryOptions({
    queryKey: keyOf(visit, 'audit'),
    queryFn: ({ signal, pageParam }) =>
      customerApi(visit).listDeploymentAudit(
        { params: paramsOf(visit), query: { limit: auditPage, ...(pageParam && { after: pageParam }) } },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })

export const portalProof = (visit: LiveVisit) =>
  queryOptions({
    queryKey: keyOf(visit, 'proof'),
    queryFn: ({ signal }) => customerApi(visit).verifyAudit({ params: paramsOf(visit) }, { signal }),
    // The whole chain is read for it: once, and when a person asks.
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
  })
