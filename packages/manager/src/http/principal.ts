import type { Role, TokenKind } from '@landfall/contract'

/** A signed-in person, by session or by an API token of theirs. */
export interface PersonPrincipal {
  kind: 'session' | 'user'
  id: string
  email: string
  name: string
  operator: boolean
  /** By project. An operator counts as admin of every project beside these. */
  roles: Readonly<Record<string, Role>>
  /** The token's id, or the session's hash in hex: what it is ended by. */
  credential: string
}
/** A machine, bound to one project; `deployer` and `agent` to one deployment of it. */
export interface MachinePrincipal {
  kind: Exclude<TokenKind, 'user'>
  token: string
  name: string
  project: string
  deployment: string | null
  /** Its name: routes take either. */
  deploymentName: string | null
  /** Of an agent that runs a deployment: the number of its session. Whether it is the current one, the sync hub knows. */
  session?: number
}
export type Principal = PersonPrincipal | MachinePrincipal

export function isPerson(principal: Principal | null): principal is PersonPrincipal {
  return principal?.kind === 'session' || principal?.kind === 'user'
}

/** How audit entries and `created_by` name who acted: `ada@example.com`, `ci:github`, `anonymous`. */
export function actorName(principal: Principal | null): string {
  if (principal === null) return 'anonymous'
  return isPerson(principal) ? principal.email : `${principal.kind}:${principal.name}`
}

/** The person's role in a project, or null. */
export function roleIn(principal: PersonPrincipal, project: string): Role | null {
  if (principal.operator) return 'admin'
  // A project may be called `constructor`: only what the object itself holds is a role.
  return Object.hasOwn(principal.roles, project) ? (principal.roles[project] ?? null) : null
}
