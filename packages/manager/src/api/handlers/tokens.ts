import { appendAudit } from '../../audit/append-audit.ts'
import { newToken } from '../../auth/token.ts'
import type { Handlers } from '../../http/handler.ts'
import { isPerson, type Principal } from '../../http/principal.ts'
import { conflict, forbidden, notFound } from '../../http/refusals.ts'
import type { Services } from '../../http/services.ts'
import { revokeMadeLinks } from '../../portal/revoke-made-links.ts'
import { findDeployment } from '../../store/deployments/find-deployment.ts'
import { newId } from '../../store/new-id.ts'
import { tokenView } from '../views/account-views.ts'

const dayMs = 86_400_000

export const tokenHandlers = {
  listTokens: async ({ params }, { db }) => {
    const rows = await db
      .selectFrom('tokens')
      .selectAll()
      .where('project', '=', params.project)
      .orderBy('created_at', 'desc')
      .limit(1000)
      .execute()
    return { items: rows.map(tokenView) }
  },

  createToken: async ({ params, body, actor }, services) => {
    const { kind, name, deployment } = body
    if (kind === 'user') {
      throw conflict('A person’s token is not a token of a project.', 'Issue it with POST /api/tokens, as that person.')
    }
    const needs = kind === 'deployer' || kind === 'agent'
    if (needs !== (deployment !== undefined)) {
      const message = needs
        ? `A ${kind} token is bound to one deployment.`
        : `A ${kind} token is not bound to a deployment.`
      throw conflict(message, needs ? 'Name the deployment.' : 'Leave `deployment` out.')
    }
    const bound = deployment === undefined ? null : (await findDeployment(services.db, params.project, deployment)).id
    return issue(
      services,
      { kind, name, project: params.project, deployment: bound, user: null },
      body.expiresInDays,
      actor,
    )
  },

  revokeToken: async ({ params, actor }, services) => {
    await revoke(services, params.id, { project: params.project }, actor)
    return undefined
  },

  listOwnTokens: async ({ principal }, { db }) => {
    const rows = await db
      .selectFrom('tokens')
      .selectAll()
      .where('user_id', '=', person(principal).id)
      .orderBy('created_at', 'desc')
      .limit(1000)
      .execute()
    return { items: rows.map(tokenView) }
  },

  createOwnToken: async ({ body, principal, actor }, services) => {
    const owner = {
      kind: 'user' as const,
      name: body.name,
      project: null,
      deployment: null,
      user: person(principal).id,
    }
    return issue(services, owner, body.expiresInDays, actor)
  },

  revokeOwnToken: async ({ params, principal, actor }, services) => {
    await revoke(services, params.id, { user: person(principal).id }, actor)
    return undefined
  },
} satisfies Partial<Handlers>

function person(principal: Principal | null) {
  if (!isPerson(principal)) throw forbidden('a signed-in person')
  return principal
}

async function issue(
  { db, clock }: Services,
  of: {
    kind: 'user' | 'ci' | 'deployer' | 'agent'
    name: string
    project: string | null
    deployment: string | null
    user: string | null
  },
  days: number,
  actor: string,
) {
  const now = clock.now()
  const { secret, hash, prefix } = newToken(of.kind)
  const row = await db.transaction().execute(async (trx) => {
    const row = await trx
      .insertInto('tokens')
      .values({
        id: newId('tok'),
        hash,
        kind: of.kind,
        name: of.name,
        prefix,
        project: of.project,
        deployment: of.deployment,
        user_id: of.user,
        created_at: new Date(now),
        created_by: actor,
        expires_at: new Date(now + days * dayMs),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    const message = `The ${of.kind} token "${of.name}" was issued, for ${days} days.`
    const { project, deployment } = of
    await appendAudit(trx, [
      { project, deployment, type: 'token.issued', actor, message, at: now, data: { token: row.id } },
    ])
    return row
  })
  return { token: tokenView(row), secret }
}

async function revoke(
  { db, clock }: Services,
  id: string,
  owner: { project: string } | { user: string },
  actor: string,
): Promise<void> {
  const now = clock.now()
  await db.transaction().execute(async (trx) => {
    let query = trx.selectFrom('tokens').selectAll().where('id', '=', id)
    query = 'user' in owner ? query.where('user_id', '=', owner.user) : query.where('project', '=', owner.project)
    const row = await query.forUpdate().executeTakeFirst()
    if (!row) throw notFound(`token ${id}`)
    // A second revocation is the first one again.
    if (row.revoked_at) return
    await trx
      .updateTable('tokens')
      .set({ revoked_at: new Date(now) })
      .where('id', '=', id)
      .execute()
    const { project, deployment } = row
    const made = row.kind === 'deployer' && deployment ? await revokeMadeLinks(trx, { id, deployment }, now) : 0
    const message = `The ${row.kind} token "${row.name}" was revoked${made > 0 ? `, and ${made} links that were made with it` : ''}.`
    await appendAudit(trx, [
      { project, deployment, type: 'token.revoked', actor, message, at: now, data: { token: id } },
    ])
  })
}
