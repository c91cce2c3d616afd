import { isAbsolute, join } from 'node:path'
import type { newDeployment } from '@landfall/contract'
import { digestOf, LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import { invalid } from '../../http/parse-request.ts'
import { exists, notFound } from '../../http/refusals.ts'
import { checkCustomer } from '../../portal/check-customer.ts'
import type { Keyring } from '../../secrets/keyring.ts'
import { findProject } from '../accounts/projects.ts'
import type { Trx } from '../database.ts'
import { newId } from '../new-id.ts'
import { newestRelease } from '../releases/newest-release.ts'
import { wakeRollouts } from '../rollouts/wake-rollouts.ts'
import { setSecret } from '../secrets/set-secret.ts'
import { allowedRelease } from '../targets/allowed-release.ts'
import { prepareTargets } from '../targets/prepare-targets.ts'
import { requireKnownConfig } from '../targets/require-known-config.ts'
import { setInput } from '../targets/set-input.ts'
import { tellTarget } from '../targets/tell-target.ts'
import { looksLikeId } from './find-deployment.ts'

type NewDeployment = z.output<typeof newDeployment>

/**
 * Creates a deployment. With `setup`, the newest release's frozen resources count as reviewed by the caller, or those of the
 * channel's first release, where it has none yet. It is told the
 * newest release whose rollout is complete; an open rollout takes it along in its wave. Where a value is still missing it
 * waits, and says for what.
 *
 * @returns its id
 * @throws LandfallError `E_WINDOW_INVALID`, `E_EXISTS`, `E_NOT_FOUND` (channel), `E_INPUT_INVALID`, `E_SECRET_UNKNOWN`, `E_PLATFORM_UNSUPPORTED`
 */
export async function createDeployment(
  trx: Trx,
  keyring: Keyring,
  creation: {
    project: string
    deployment: NewDeployment
    /** Where a local environment lies that names no directory. */
    environmentsDirectory: string
    actor: string
    at: number
  },
): Promise<string> {
  const { project, deployment, actor, at } = creation
  if (looksLikeId(deployment.name)) {
    throw invalid([
      { path: 'name', message: 'looks like an id: choose another, so that nobody takes one for the other' },
    ])
  }
  checkCustomer(deployment.model, deployment.customer)
  await findProject(trx, project)
  await requireChannel(trx, project, deployment.channel)
  if (deployment.group !== undefined) {
    // A group comes into being with its first deployment.
    await trx
      .insertInto('groups')
      .values({ project, name: deployment.group })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  const newest = await newestRelease(trx, project, deployment.channel)
  if (newest) {
    const { platforms } = newest.statement.manifest
    if (!platforms.includes(deployment.platform)) throw unsupported(deployment.platform, platforms)
    requireKnownConfig(newest.statement.manifest, deployment.inputs, deployment.secrets)
  }
  const known = await trx
    .selectFrom('deployments')
    .select('id')
    .where('project', '=', project)
    .where('name', '=', deployment.name)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (known) throw exists(`a deployment ${deployment.name}`)
  const id = newId('dep')
  await trx
    .insertInto('deployments')
    .values({
      id,
      project,
      name: deployment.name,
      group_name: deployment.group ?? null,
      channel: deployment.channel,
      platform: deployment.platform,
      model: deployment.model,
      environment: JSON.stringify(environmentOf(deployment, id, creation.environmentsDirectory)),
      // At most 12 characters, a letter first, as every platform allows; 50 random bits of the id.
      prefix: `d${id.slice(4, 14)}`,
      policy: JSON.stringify(deployment.policy),
      customer: JSON.stringify(deployment.customer),
      config: digestOf({ inputs: {}, secrets: {}, bindings: {} }),
      setup_release: deployment.setup ? (newest?.digest ?? null) : null,
      setup_first: deployment.setup && !newest,
      created_at: new Date(at),
      created_by: actor,
    })
    .execute()
  for (const [name, value] of Object.entries(deployment.inputs)) {
    await setInput(trx, { deployment: id, name, value, by: actor, at })
  }
  for (const [name, value] of Object.entries(deployment.secrets)) {
    await setSecret(trx, keyring, { deployment: id, name, value, by: actor, at })
  }
  await publishChanges(trx, [{ project, kind: 'deployment', id, at }])
  const message = `The deployment ${deployment.name} was created on ${deployment.platform} (${deployment.model}).`
  const data = { setup: deployment.setup ? (newest?.version ?? null) : null }
  await appendAudit(trx, [{ project, deployment: id, type: 'deployment.created', actor, message, at, data }])
  await tellAllowed(trx, { id, project, channel: deployment.channel }, actor, at)
  await wakeRollouts(trx, project, deployment.channel)
  return id
}

/** The address of the environment as its platform knows it. Throws `E_ENVIRONMENT_INVALID`. */
function environmentOf(deployment: NewDeployment, id: string, environments: string): Record<string, unknown> {
  if (deployment.platform !== 'local') return deployment.environment
  const { directory, ...unknown } = deployment.environment
  const [first] = Object.keys(unknown)
  // Where an agent runs it, the customer's machine is not this one: the agent has a directory of its own for it.
  if (first === undefined && directory === undefined && deployment.model !== 'push') return {}
  if (first === undefined && directory === undefined) return { directory: join(environments, id) }
  if (first === undefined && typeof directory === 'string' && isAbsolute(directory)) return { directory }
  throw new LandfallError({
    code: 'E_ENVIRONMENT_INVALID',
    message: first
      ? `A local environment has no ${first}.`
      : 'The directory of a local environment is not an absolute path.',
    hint: 'Give { "directory": "/srv/acme" }, or nothing: then the manager chooses one.',
  })
}

/** Tells a deployment the newest release it is allowed, if there is one and its config is whole. */
export async function tellAllowed(
  trx: Trx,
  deployment: { id: string; project: string; channel: string },
  actor: string,
  at: number,
): Promise<boolean> {
  const { id, project } = deployment
  const release = await allowedRelease(trx, project, deployment.channel)
  if (release === null) return false
  const prepared = (await prepareTargets(trx, project, [id], release, at, actor)).get(id)
  if (!prepared || 'refusal' in prepared) return false
  const message = 'It was told the newest release of its channel that was rolled out.'
  const { target } = prepared
  return tellTarget(trx, { deployment: id, project, target, cause: 'channel', actor, message, at })
}

export async function requireChannel(trx: Trx, project: string, channel: string): Promise<void> {
  const row = await trx
    .selectFrom('channels')
    .select('name')
    .where('project', '=', project)
    .where('name', '=', channel)
    .executeTakeFirst()
  if (!row) throw notFound(`channel ${channel}`)
}

function unsupported(platform: string, platforms: readonly string[]): LandfallError {
  return new LandfallError({
    code: 'E_PLATFORM_UNSUPPORTED',
    message: `The newest release is not made for ${platform}, only for ${platforms.join(', ')}.`,
    hint: 'Add the platform to the stack and release again, or choose another platform.',
  })
}
