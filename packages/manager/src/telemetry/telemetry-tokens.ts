import type { Clock, DeploymentRef, Log } from '@landfall/engine'
import { hashToken } from '../auth/token.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { newId } from '../store/new-id.ts'

const lifeMs = 366 * 86_400_000
const renewBeforeMs = 60 * 86_400_000
const tokenName = 'telemetry'

/**
 * The agent token that a deployment's workers send telemetry with. It is derived from the manager's keys and the deployment's id,
 * so nothing that could be stolen is stored: the database holds its hash, as of every token, and it can be revoked like one.
 */
export function telemetryToken(keyring: Keyring, deployment: string): string {
  return `lf_agent_${keyring.derive(`telemetry token:${deployment}`).toString('base64url')}`
}

/** Makes the token valid; harmless when it is, and without effect when somebody revoked it. */
export async function ensureTelemetryToken(
  db: Database,
  keyring: Keyring,
  deployment: Pick<DeploymentRef, 'id' | 'project'>,
  now: number,
): Promise<void> {
  const token = telemetryToken(keyring, deployment.id)
  await db
    .insertInto('tokens')
    .values({
      id: newId('tok'),
      hash: hashToken(token),
      kind: 'agent',
      name: tokenName,
      prefix: token.slice(0, 'lf_agent_'.length + 4),
      project: deployment.project,
      deployment: deployment.id,
      created_at: new Date(now),
      created_by: 'landfall',
      expires_at: new Date(now + lifeMs),
    })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .execute()
}

/** Moves the expiry of tokens that are in use. Revoked ones, and those of deleted deployments, run out. */
export async function renewTelemetryTokens(db: Database, now: number): Promise<void> {
  await db
    .updateTable('tokens')
    .set({ expires_at: new Date(now + lifeMs) })
    .where('kind', '=', 'agent')
    .where('name', '=', tokenName)
    .where('created_by', '=', 'landfall')
    .where('revoked_at', 'is', null)
    .where('expires_at', '<', new Date(now + renewBeforeMs))
    .where('deployment', 'in', (builder) =>
      builder.selectFrom('deployments').select('id').where('deleted_at', 'is', null),
    )
    .execute()
}

/**
 * For the local platform: where the workers of a deployment send OTLP, and with which token. Answers at once; the token is made
 * valid beside it, and tried again with the next call should the database be away.
 *
 * @param endpoint the manager's address as the workers reach it, without a slash at the end
 */
export function telemetryTargets(deps: {
  db: Database
  keyring: Keyring
  clock: Clock
  log: Log
  endpoint: () => string
}): (deployment: DeploymentRef) => { endpoint: string; headers: Record<string, string> } {
  const { db, keyring, clock, log } = deps
  return (deployment) => {
    ensureTelemetryToken(db, keyring, deployment, clock.now()).catch(() => {
      log.warn('The telemetry token of a deployment could not be made', { deployment: deployment.id })
    })
    const authorization = `Bearer ${telemetryToken(keyring, deployment.id)}`
    return { endpoint: deps.endpoint(), headers: { authorization } }
  }
}
