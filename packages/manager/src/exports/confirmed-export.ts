import type { Trx } from '../store/database.ts'

/** The newest export of the agent that is bound now that was taken in; 0: none. A bundle's order tells it the site. */
export async function confirmedExport(trx: Trx, deployment: string): Promise<number> {
  const row = await trx
    .selectFrom('agents')
    .select(['key_id', 'export_key', 'export_number'])
    .where('deployment', '=', deployment)
    .executeTakeFirst()
  return row && row.key_id === row.export_key ? row.export_number : 0
}
