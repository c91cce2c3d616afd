import { appendAudit } from '../../audit/append-audit.ts'
import type { Database } from '../../store/database.ts'

/** Far below 2^53, and far above what is ever asked: a number that an agent can't push to the end. */
const highest = 2 ** 48

/**
 * Passes a generation that an agent has and nobody here has asked: the database was restored from before it. Without this the agent would
 * take no order until as many were made again. Answers the generation in force.
 */
export async function raiseGeneration(
  db: Database,
  of: { deployment: string; above: number; at: number },
): Promise<number> {
  const { deployment, above, at } = of
  return db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('deployments')
      .select(['project', 'requested_generation'])
      .where('id', '=', deployment)
      .forUpdate()
      .executeTakeFirstOrThrow()
    if (above <= row.requested_generation || above >= highest) return row.requested_generation
    const generation = above + 1
    await trx
      .updateTable('deployments')
      .set({ requested_generation: generation })
      .where('id', '=', deployment)
      .execute()
    const message = `The agent has an order with the number ${above}, which is not known here; orders go on from ${generation}.`
    const data = { known: above, asked: row.requested_generation }
    await appendAudit(trx, [
      { project: row.project, deployment, type: 'agent.ahead', actor: 'manager', message, data, at },
    ])
    return generation
  })
}
