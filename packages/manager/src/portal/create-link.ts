import { appendAudit } from '../audit/append-audit.ts'
import { newToken } from '../auth/token.ts'
import type { Trx } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { newId } from '../store/new-id.ts'

const dayMs = 86_400_000

/**
 * Makes a link to a deployment's portal: a deployer token, stored as its hash, shown this once. It can be revoked like any token of the
 * project. `notAfter`: a link made by a link ends with it at the latest.
 */
export async function createLink(
  trx: Trx,
  row: DeploymentRow,
  of: { name: string; days: number; notAfter: number | null; publicUrl: string; actor: string; at: number },
): Promise<{ url: string; token: string; expiresAt: string }> {
  const { actor, at, name } = of
  const { secret, hash, prefix } = newToken('deployer')
  const expiresAt = new Date(Math.min(at + of.days * dayMs, of.notAfter ?? Number.POSITIVE_INFINITY))
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
      created_by: actor,
      expires_at: expiresAt,
    })
    .execute()
  const message = `The portal link "${name}" was made, valid until ${expiresAt.toISOString()}.`
  const { project, id: deployment } = row
  await appendAudit(trx, [{ project, deployment, type: 'portal.link-made', actor, message, at, data: { token: id } }])
  const fragment = new URLSearchParams({ token: secret, project, deployment: row.name })
  return { url: `${of.publicUrl}/portal#${fragment}`, token: secret, expiresAt: expiresAt.toISOString() }
}
