import type { explanation } from '@landfall/contract'
import type { CustomerSettings } from '@landfall/stack'
import type { z } from 'zod'
import { inForceOf } from '../portal/customer-in-force.ts'
import type { Database } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { problemChecks } from './problem-checks.ts'
import { hasAgent } from './set-up.ts'

type Check = z.output<typeof explanation>['checks'][number]

/** An agent that syncs and was not seen for this long counts as away: some intervals, and a manager's restart. */
const awayMs = 300_000

/** What was found out about an agent, as a reason: nothing of it passes by itself. */
const found: Readonly<Record<string, string>> = { E_AGENT_CLONED: 'AGENT_CLONED', E_AUDIT_BROKEN: 'AGENT_AUDIT_BROKEN' }

/**
 * The agent's link in the chain from a release to the environment, what it says of itself, and the customer's settings as they are in
 * force where it reports them; null where no agent runs the deployment.
 */
export async function agentCheck(
  db: Database,
  row: DeploymentRow,
  now: number,
): Promise<{ check: Check; problems: Check[]; customer: CustomerSettings } | null> {
  if (!hasAgent(row.model)) return null
  const agent = await db.selectFrom('agents').selectAll().where('deployment', '=', row.id).executeTakeFirst()
  const customer = inForceOf(row.customer, agent ?? null).settings
  const seen = row.last_seen_at?.getTime() ?? null
  const since = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  const check = (status: Check['status'], code: string, message: string, at: number | null = null) => ({
    check: { name: 'agent', status, code, message, since: since(at) },
    problems: problemChecks(agent?.info ?? null),
    customer,
  })
  if (!agent)
    return check('waiting', 'AGENT_NOT_SET_UP', 'No agent has been set up for it yet.', row.created_at.getTime())
  if (agent.sign_key === null) {
    return check(
      'waiting',
      'AGENT_NOT_ENROLLED',
      'Its agent was set up and has not enrolled yet.',
      row.created_at.getTime(),
    )
  }
  for (const [error, code] of Object.entries(found)) {
    const trouble = agent.trouble[error]
    if (trouble) return check('blocked', code, trouble.message, trouble.since)
  }
  if (agent.via === 'export')
    return check('ok', 'AGENT', `What its agent says comes by export, the last of ${since(seen)}.`, seen)
  if (seen === null || now - seen > awayMs) {
    const when = seen === null ? 'has never been seen' : `was last seen ${since(seen)}`
    return check(
      'waiting',
      'AGENT_AWAY',
      `Its agent ${when}: it learns of nothing new. What runs there goes on running.`,
      seen,
    )
  }
  return check('ok', 'AGENT', `Its agent was last seen ${since(seen)}.`, seen)
}
