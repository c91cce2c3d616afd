import type { config as configSchema } from '@landfall/contract'
import type { Manifest } from '@landfall/stack'
import type { z } from 'zod'
import type { Handlers } from '../../http/handler.ts'
import type { Principal } from '../../http/principal.ts'
import { forbidden } from '../../http/refusals.ts'
import type { Database, Trx } from '../../store/database.ts'
import { tellAllowed } from '../../store/deployments/create-deployment.ts'
import { type DeploymentRow, findDeployment } from '../../store/deployments/find-deployment.ts'
import { findRelease } from '../../store/releases/find-release.ts'
import { newestRelease } from '../../store/releases/newest-release.ts'
import { wakeRollouts } from '../../store/rollouts/wake-rollouts.ts'
import { removeSecret, setSecret } from '../../store/secrets/set-secret.ts'
import { prepareTarget } from '../../store/targets/prepare-targets.ts'
import { requireKnownConfig } from '../../store/targets/require-known-config.ts'
import { setInput } from '../../store/targets/set-input.ts'
import { tellTarget } from '../../store/targets/tell-target.ts'
import { change, note } from './change-deployment.ts'

export const configHandlers = {
  getConfig: async ({ params }, { db }) => configView(db, await findDeployment(db, params.project, params.deployment)),

  /** What is set makes a new target at once; a change that would leave the deployment without something it needs is refused. */
  putConfig: async ({ params, body, principal, actor }, services) => {
    await change(services, params, async (trx, row, at) => {
      const manifest = await manifestOf(trx, row)
      if (manifest) {
        const set = <T>(values: Record<string, T | null>) =>
          Object.fromEntries(Object.entries(values).filter((entry): entry is [string, T] => entry[1] !== null))
        requireKnownConfig(manifest, set(body.inputs), set(body.secrets))
        requireOwnSide(manifest, principal, Object.keys(body.inputs), Object.keys(body.secrets))
      }
      for (const [name, value] of Object.entries(body.inputs)) {
        await setInput(trx, { deployment: row.id, name, value, by: actor, at })
      }
      for (const [name, value] of Object.entries(body.secrets)) {
        if (value === null) await removeSecret(trx, row.id, name, at)
        else await setSecret(trx, services.keyring, { deployment: row.id, name, value, by: actor, at })
      }
      const names = [...Object.keys(body.inputs), ...Object.keys(body.secrets)]
      const message = `The config was changed: ${names.join(', ') || 'nothing'}.`
      if (row.target) {
        const target = await prepareTarget(trx, row, row.target.release, at, actor)
        const order = { deployment: row.id, project: row.project, target, cause: 'config', actor, message, at }
        if (!(await tellTarget(trx, order))) await note(trx, row, 'deployment.config', actor, message, at)
      } else {
        await note(trx, row, 'deployment.config', actor, message, at)
        if (row.pinned === null) await tellAllowed(trx, row, actor, at)
      }
      await wakeRollouts(trx, row.project, row.channel)
    })
    return configView(services.db, await findDeployment(services.db, params.project, params.deployment))
  },
} satisfies Partial<Handlers>

/** The release that says which inputs and secrets there are: what it is to run, else the newest of its channel. */
async function manifestOf(db: Database | Trx, row: DeploymentRow): Promise<Manifest | null> {
  const release = row.target
    ? await findRelease(db, row.project, row.target.release)
    : await newestRelease(db, row.project, row.channel)
  return release?.statement.manifest ?? null
}

/** A customer's link sets what the customer provides, and nothing of the vendor's. */
function requireOwnSide(
  manifest: Manifest,
  principal: Principal | null,
  inputs: readonly string[],
  secrets: readonly string[],
): void {
  if (principal?.kind !== 'deployer') return
  const foreign = [
    ...inputs.filter((name) => manifest.inputs[name]?.providedBy !== 'customer'),
    ...secrets.filter((name) => !manifest.resources.some((one) => one.name === name && isCustomers(one))),
  ]
  if (foreign.length > 0) throw forbidden(`the vendor, who provides ${foreign.join(', ')}`)
}

function isCustomers(resource: Manifest['resources'][number]): boolean {
  return resource.type === 'secret' && resource.providedBy === 'customer'
}

async function configView(db: Database, row: DeploymentRow): Promise<z.output<typeof configSchema>> {
  const manifest = await manifestOf(db, row)
  const inputs = await db.selectFrom('inputs').selectAll().where('deployment', '=', row.id).execute()
  const secrets = await db
    .selectFrom('secrets')
    .select(['name', 'version', 'set_by', 'set_at', 'removed_at'])
    .distinctOn('name')
    .where('deployment', '=', row.id)
    .orderBy('name')
    .orderBy('version', 'desc')
    .execute()
  const set = new Map(inputs.map((input) => [input.name, input]))
  const sealed = new Map(secrets.filter((secret) => secret.removed_at === null).map((secret) => [secret.name, secret]))
  const definitions = manifest?.inputs ?? {}
  const names = new Set([...Object.keys(definitions), ...set.keys()])
  const secretNames = new Map(
    (manifest?.resources ?? []).flatMap((one) => (one.type === 'secret' ? [[one.name, one.providedBy]] : [])),
  )
  for (const name of sealed.keys()) if (!secretNames.has(name)) secretNames.set(name, 'vendor')
  return {
    digest: row.config,
    inputs: [...names].sort().map((name) => {
      const given = set.get(name)
      const definition = definitions[name]
      return {
        name,
        value: given?.value ?? definition?.default ?? null,
        default: given === undefined,
        providedBy: definition?.providedBy ?? 'vendor',
        setBy: given?.set_by ?? null,
        setAt: given?.set_at.toISOString() ?? null,
      }
    }),
    secrets: [...secretNames].map(([name, providedBy]) => {
      const secret = sealed.get(name)
      return {
        name,
        version: secret?.version ?? 0,
        providedBy,
        setBy: secret?.set_by ?? null,
        setAt: secret?.set_at.toISOString() ?? null,
      }
    }),
  }
}
