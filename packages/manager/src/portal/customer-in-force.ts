import type { CustomerSettings } from '@landfall/stack'
import type { Database, Trx } from '../store/database.ts'

export interface InForce {
  settings: CustomerSettings
  /** Names of the settings that were set at the agent: they win over the portal's, and cannot be changed here. */
  local: (keyof CustomerSettings)[]
}

/** What the customer says about a deployment: the portal's settings, those that were set at its agent in place of them. */
export async function customerInForce(
  db: Database | Trx,
  row: { id: string; customer: CustomerSettings },
): Promise<InForce> {
  const agent = await db
    .selectFrom('agents')
    .select(['customer', 'local'])
    .where('deployment', '=', row.id)
    .executeTakeFirst()
  return inForceOf(row.customer, agent ?? null)
}

/** The same from what was read: the portal's settings, and what the agent reported last. */
export function inForceOf(
  portal: CustomerSettings,
  agent: { customer: CustomerSettings | null; local: readonly string[] } | null,
): InForce {
  const theirs = agent?.customer
  if (!theirs) return { settings: portal, local: [] }
  const local = agent.local.filter((name): name is keyof CustomerSettings => Object.hasOwn(theirs, name))
  const own = Object.fromEntries(local.map((name) => [name, theirs[name]]))
  return { settings: { ...portal, ...own }, local }
}
