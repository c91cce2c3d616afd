import { sql } from 'kysely'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Trx } from '../store/database.ts'

/**
 * Remembers what was found out about a deployment's agent, where people look: its problems, the explanation, the audit. The first time
 * only: an agent that tries again and again must not fill the log. Goes with the next enrolment.
 */
export async function noteTrouble(
  trx: Trx,
  trouble: { deployment: string; code: string; message: string; at: number },
): Promise<void> {
  const { deployment, code, message, at } = trouble
  const value = JSON.stringify({ [code]: { message, since: at } })
  const noted = await trx
    .updateTable('agents')
    .set({ trouble: sql<string>`trouble || ${value}::jsonb` })
    .where('deployment', '=', deployment)
    .where(sql<boolean>`not trouble ? ${code}`)
    .returning('deployment')
    .executeTakeFirst()
  if (!noted) return
  const { project } = await trx
    .selectFrom('deployments')
    .select('project')
    .where('id', '=', deployment)
    .executeTakeFirstOrThrow()
  await publishChanges(trx, [{ project, kind: 'deployment', id: deployment, at }])
  await appendAudit(trx, [{ project, deployment, type: 'agent.trouble', actor: 'manager', code, message, at }])
}
