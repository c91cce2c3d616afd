import { randomBytes } from 'node:crypto'
import { type AgentSetup, agentChain, genesis } from '@landfall/contract'
import { appendAudit } from '../audit/append-audit.ts'
import { hashToken } from '../auth/token.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import { findProject } from '../store/accounts/projects.ts'
import type { Trx } from '../store/database.ts'
import { desiredOfRow } from '../store/deployments/desired-of-row.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { alreadyEnrolled, noAgent } from './refusals.ts'

const tokenMs = 7 * 86_400_000

/** How agents reach the manager, by model; null: not at all, and where no agent runs the deployment, nothing. */
const roads: Readonly<Record<DeploymentRow['model'], ((url: string) => AgentSetup['sync']) | null>> = {
  push: null,
  pull: (url) => ({ url }),
  airgapped: () => null,
}

/** Whether deployments of a model are run by an agent. */
export const hasAgent = (model: DeploymentRow['model']): boolean => roads[model] !== null

/**
 * Makes the setup of a deployment's agent with a new token; an earlier token that was not used is over. `replace` unbinds the agent
 * that is enrolled and ends its session. The caller holds the deployment's row lock.
 *
 * @throws LandfallError `E_MODEL`, `E_AGENT_ENROLLED`
 */
export async function setUpAgent(
  trx: Trx,
  row: DeploymentRow,
  of: { replace: boolean; url: string; replySeal: string; actor: string; at: number },
): Promise<AgentSetup> {
  const road = roads[row.model]
  if (!road) throw noAgent(row.name)
  const { project, id: deployment, name } = row
  const before = await trx
    .selectFrom('agents')
    .select(['sign_key', 'key_id', 'session'])
    .where('deployment', '=', deployment)
    .forUpdate()
    .executeTakeFirst()
  const bound = before?.sign_key !== null && before !== undefined
  if (bound && !of.replace) throw alreadyEnrolled(name)
  const token = `lf_enrol_${randomBytes(32).toString('base64url')}`
  const expiresAt = new Date(of.at + tokenMs)
  const set = { token_hash: hashToken(token), token_expires_at: expiresAt }
  const unbound = {
    sign_key: null,
    seal_key: null,
    key_id: null,
    enrolled_at: null,
    session: (before?.session ?? 0) + 1,
  }
  await trx
    .insertInto('agents')
    .values({ deployment, audit_hash: genesis(agentChain(deployment)), ...set })
    .onConflict((conflict) => conflict.column('deployment').doUpdateSet({ ...set, ...(bound ? unbound : {}) }))
    .execute()
  await publishChanges(trx, [{ project, kind: 'deployment', id: deployment, at: of.at }])
  const entry = { project, deployment, actor: of.actor, at: of.at }
  await appendAudit(trx, [
    ...(bound
      ? [
          {
            ...entry,
            type: 'agent.replaced',
            message: `The agent of ${name} was ended, so that another can take its place.`,
            data: { key: before.key_id },
          },
        ]
      : []),
    {
      ...entry,
      type: 'agent.setup-made',
      message: `A setup for an agent of ${name} was made; its token can be used once, until ${expiresAt.toISOString()}.`,
    },
  ])
  const { root_public_key: publicKey } = await findProject(trx, project)
  return {
    schema: 'landfall.dev/agent-setup/v1',
    deployment: { ...desiredOfRow(row).deployment },
    root: { publicKey },
    reply: { seal: of.replySeal },
    enrolment: { token, expiresAt: expiresAt.toISOString() },
    sync: road(of.url),
    customer: row.customer,
    policy: row.policy,
  }
}
