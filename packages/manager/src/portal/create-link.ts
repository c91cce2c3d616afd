import { LandfallError } from '@landfall/stack'
import { appendAudit } from '../audit/append-audit.ts'
import { newToken } from '../auth/token.ts'
import type { Trx } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { newId } from '../store/new-id.ts'

const dayMs = 86_400_000

/**
 * Makes a link to a deployment's portal: a deployer token, stored as its hash, shown this once. It can be revoked like any token of the
 * project. `by`: the link that makes it, where one does: then it ends with that one at the latest (see `revokeMadeLinks`).
 */
export async function createLink(
  trx: Trx,
  row: DeploymentRow,
  of: {
    name: string
    days: number
    by: { id: string; expiresAt: number } | null
    publicUrl: string
    actor: string
    at: number
  },
): Promise<{ url: string; token: string; expiresAt: string }> {
  const { actor, at, name } = of
  if (of.by) await requireValid(trx, of.by.id)
  const { secret, hash, prefix } = newToken('deployer')
  const expiresAt = new Date(Math.min(at + of.days * dayMs, of.by?.expiresAt ?? Number.POSITIVE_INFINITY))
  const id = newId('tok')
  await trx
    .insertInto('tokens')
    .values({
      id,
      hash,
      kind: 'deployer',
      name,
      prefix,
      project: row.project,
      deployment: row.id,
      user_id: null,
      created_at: new Date(at),
      created_by: of.by ? `${actor} ${of.by.id}` : actor,
      expires_at: expiresAt,
    })
    .execute()
  const message = `The portal link "${name}" was made, valid until ${expiresAt.toISOString()}.`
  const { project, id: deployment } = row
  await appendAudit(trx, [{ project, deployment, type: 'portal.link-made', actor, message, at, data: { token: id } }])
  const fragment = new URLSearchParams({ token: secret, project, deployment: row.name })
  return { url: `${of.publicUrl}/portal#${fragment}`, token: secret, expiresAt: expiresAt.toISOString() }
}

/** Holds the maker's row: it is revoked before, and then nothing is made, or after, and then what was made is found. */
async function requireValid(trx: Trx, id: string): Promise<void> {
  const maker = await trx.selectFrom('tokens').select('revoked_at').where('id', '=', id).forShare().executeTakeFirst()
  if (maker && maker.revoked_at === null) return
  throw new LandfallError({
    code: 'E_TOKEN_REVOKED',
    message: 'The link that asks was revoked.',
    hint: 'Ask the vendor for another one.',
  })
}
