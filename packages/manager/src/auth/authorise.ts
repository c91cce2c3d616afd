import { type Access, type Role, roles } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import { isPerson, type MachinePrincipal, type PersonPrincipal, type Principal, roleIn } from '../http/principal.ts'
import { forbidden, notFound } from '../http/refusals.ts'

/** What the path of a call names. */
export interface Scope {
  project?: string
  /** Id or name. */
  deployment?: string
}

/**
 * Lets a call in or throws. Closed by construction: whoever the route does not name is refused. What lies in a project
 * that the caller has no part in is "not found" whether it exists or not.
 *
 * @throws LandfallError `E_UNAUTHENTICATED`, `E_FORBIDDEN`, `E_NOT_FOUND`
 */
export function authorise(access: Access, principal: Principal | null, scope: Scope): void {
  if (access.public) return
  if (principal === null) {
    throw new LandfallError({
      code: 'E_UNAUTHENTICATED',
      message: 'This needs a signed-in person or a token.',
      hint: 'Sign in in the browser or with `landfall login`, or send `Authorization: Bearer TOKEN`.',
    })
  }
  if (isPerson(principal)) authorisePerson(access, principal, scope)
  else authoriseMachine(access, principal, scope)
}

function authorisePerson(access: Access, person: PersonPrincipal, scope: Scope): void {
  if (access.role !== undefined && scope.project !== undefined) {
    const role = roleIn(person, scope.project)
    if (role === null) throw notFound(`project ${scope.project}`)
    if (!includes(role, access.role)) throw forbidden(`the role ${access.role} in the project; you are ${role}`)
    return
  }
  if (access.signedIn) return
  if (access.operator) {
    if (person.operator) return
    throw forbidden('an operator of this Landfall')
  }
  throw forbidden(`a token of kind ${access.tokens?.join(' or ') ?? 'none'}`)
}

function authoriseMachine(access: Access, machine: MachinePrincipal, scope: Scope): void {
  if (scope.project !== undefined && scope.project !== machine.project) throw notFound(`project ${scope.project}`)
  const foreign = ![machine.deployment, machine.deploymentName].includes(scope.deployment ?? null)
  if (machine.deployment !== null && scope.deployment !== undefined && foreign) {
    throw notFound(`deployment ${scope.deployment}`)
  }
  if (!access.tokens?.includes(machine.kind)) throw forbidden(`more than a ${machine.kind} token may do`)
}

/** Whether a role includes another: admin includes developer, developer includes viewer. */
export function includes(has: Role, needed: Role): boolean {
  return roles.includes(has) && roles.indexOf(has) <= roles.indexOf(needed)
}
