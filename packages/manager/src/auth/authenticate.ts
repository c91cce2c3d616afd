import { LandfallError } from '@landfall/stack'
import { looksLikeSession, type SessionContent } from '../agents/session-token.ts'
import type { MachinePrincipal, PersonPrincipal, Principal } from '../http/principal.ts'
import type { Services } from '../http/services.ts'
import type { Database } from '../store/database.ts'
import { sessionHash } from './sessions.ts'
import { hashToken, looksLikeToken } from './token.ts'

/**
 * Who calls: by `Authorization: Bearer`, else by the session cookie; null for nobody.
 *
 * @throws LandfallError `E_TOKEN_INVALID`, `E_TOKEN_EXPIRED`, `E_TOKEN_REVOKED`, `E_SESSION_ENDED`
 */
export async function authenticate(headers: Headers, services: Services): Promise<Principal | null> {
  const header = headers.get('authorization')
  if (header !== null) return byToken(header, services)
  const hash = sessionHash(headers.get('cookie'), services.settings.publicUrl)
  return hash ? bySession(hash, services) : null
}

async function byToken(header: string, { db, clock, usage, agents }: Services): Promise<Principal> {
  const secret = /^Bearer ([^\s]+)$/i.exec(header)?.[1] ?? ''
  // Ten thousand agents that wait must not be ten thousand queries.
  if (looksLikeSession(secret)) {
    const said = agents.tokens.read(secret, clock.now())
    agents.hub.requireCurrent(said)
    return ofSession(said)
  }
  if (!looksLikeToken(secret)) throw refused('E_TOKEN_INVALID', 'The token is not one of this manager.')
  const row = await db
    .selectFrom('tokens')
    .leftJoin('deployments', 'deployments.id', 'tokens.deployment')
    .selectAll('tokens')
    .select(['deployments.name as deploymentName', 'deployments.deleted_at as deletedAt'])
    .where('tokens.hash', '=', hashToken(secret))
    .executeTakeFirst()
  const now = clock.now()
  if (!row) throw refused('E_TOKEN_INVALID', 'The token is not one of this manager.')
  if (row.revoked_at || row.deletedAt) throw refused('E_TOKEN_REVOKED', `The token "${row.name}" was revoked.`)
  if (row.expires_at.getTime() <= now) {
    throw refused('E_TOKEN_EXPIRED', `The token "${row.name}" expired at ${row.expires_at.toISOString()}.`)
  }
  usage.token(row.id, now)
  if (row.kind === 'user') {
    const person = row.user_id ? await personOf(db, row.user_id, 'user', row.id) : null
    if (!person) throw refused('E_TOKEN_REVOKED', 'The person of this token was removed.')
    return person
  }
  const machine: MachinePrincipal = {
    kind: row.kind,
    token: row.id,
    name: row.name,
    project: row.project ?? '',
    deployment: row.deployment,
    deploymentName: row.deploymentName,
  }
  return machine
}

function ofSession({ deployment, name, project, session }: SessionContent): MachinePrincipal {
  const token = `session:${deployment}:${session}`
  return { kind: 'agent', token, name, project, deployment, deploymentName: name, session }
}

async function bySession(hash: Buffer, { db, clock, usage }: Services): Promise<Principal | null> {
  const now = clock.now()
  const row = await db
    .selectFrom('sessions')
    .select('user_id')
    .where('hash', '=', hash)
    .where('expires_at', '>', new Date(now))
    .executeTakeFirst()
  if (!row) return null
  const credential = hash.toString('hex')
  const person = await personOf(db, row.user_id, 'session', credential)
  if (!person) return null
  usage.session(credential, now)
  usage.user(person.id, now)
  return person
}

async function personOf(
  db: Database,
  id: string,
  kind: PersonPrincipal['kind'],
  credential: string,
): Promise<PersonPrincipal | null> {
  const rows = await db
    .selectFrom('users')
    .leftJoin('members', 'members.user_id', 'users.id')
    .select(['users.id', 'users.email', 'users.name', 'users.operator', 'members.project', 'members.role'])
    .where('users.id', '=', id)
    .where('users.removed_at', 'is', null)
    .execute()
  const [first] = rows
  if (!first) return null
  const roles = Object.fromEntries(rows.flatMap((row) => (row.project && row.role ? [[row.project, row.role]] : [])))
  return { kind, id: first.id, email: first.email, name: first.name, operator: first.operator, roles, credential }
}

function refused(code: string, message: string): LandfallError {
  return new LandfallError({ code, message, hint: 'Issue a new token, or sign in again with `landfall login`.' })
}
