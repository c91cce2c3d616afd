import type { Target } from '@landfall/engine'
import { digestOf, LandfallError, type Manifest, validateInputs } from '@landfall/stack'
import type { Database, Trx } from '../database.ts'
import { findRelease } from '../releases/find-release.ts'
import type { ConfigDocument, InputValue } from '../tables/deployments.ts'

/** What a deployment would be told for a release, or why it can't be: a value or a secret is missing or not allowed. */
export type Prepared = { target: Target } | { refusal: LandfallError }

interface Given {
  inputs: Record<string, InputValue>
  secrets: Record<string, { version: number; hash: string }>
}

/**
 * The target of each deployment for one release: the release with the deployment's own config. The config is what was set,
 * with the release's defaults filled in and what the release does not know left out; it is stored by its digest, which is
 * the same for the same content. Says nothing of whether the deployment is allowed to run the release.
 */
export async function prepareTargets(
  db: Database | Trx,
  project: string,
  deployments: readonly string[],
  releaseDigest: string,
  at: number,
  by: string,
): Promise<Map<string, Prepared>> {
  if (deployments.length === 0) return new Map()
  const { statement } = await findRelease(db, project, releaseDigest)
  const given = await readGiven(db, deployments)
  const prepared = new Map<string, Prepared>()
  const configs: { deployment: string; digest: string; document: string; created_at: Date; created_by: string }[] = []
  for (const deployment of deployments) {
    try {
      const document = configFor(statement.manifest, given.get(deployment) ?? { inputs: {}, secrets: {} })
      const config = digestOf(document)
      const pair = { release: releaseDigest, config }
      prepared.set(deployment, { target: { digest: digestOf(pair), ...pair } })
      configs.push({
        deployment,
        digest: config,
        document: JSON.stringify(document),
        created_at: new Date(at),
        created_by: by,
      })
    } catch (error) {
      if (!LandfallError.is(error)) throw error
      prepared.set(deployment, { refusal: error })
    }
  }
  for (let from = 0; from < configs.length; from += 1000) {
    await db
      .insertInto('configs')
      .values(configs.slice(from, from + 1000))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  return prepared
}

/** The same for one deployment. @throws LandfallError `E_INPUT_INVALID`, `E_SECRET_MISSING`, `E_NOT_FOUND` */
export async function prepareTarget(
  db: Database | Trx,
  deployment: { id: string; project: string },
  releaseDigest: string,
  at: number,
  by: string,
): Promise<Target> {
  const prepared = (await prepareTargets(db, deployment.project, [deployment.id], releaseDigest, at, by)).get(
    deployment.id,
  )
  if (prepared && 'target' in prepared) return prepared.target
  throw prepared?.refusal ?? new Error('a deployment that was asked for was not answered')
}

/** What was set for each deployment: the current inputs, and the newest version of each secret that was not removed. */
async function readGiven(db: Database | Trx, deployments: readonly string[]): Promise<Map<string, Given>> {
  const given = new Map<string, Given>(deployments.map((id) => [id, { inputs: {}, secrets: {} }]))
  const inputs = await db.selectFrom('inputs').selectAll().where('deployment', 'in', deployments).execute()
  for (const row of inputs) {
    const of = given.get(row.deployment)
    if (of) of.inputs[row.name] = row.value
  }
  const secrets = await db
    .selectFrom('secrets')
    .select(['deployment', 'name', 'version', 'hash', 'removed_at'])
    .distinctOn(['deployment', 'name'])
    .where('deployment', 'in', deployments)
    .orderBy('deployment')
    .orderBy('name')
    .orderBy('version', 'desc')
    .execute()
  for (const row of secrets) {
    const of = given.get(row.deployment)
    if (of && row.removed_at === null) of.secrets[row.name] = { version: row.version, hash: row.hash }
  }
  return given
}

function configFor(manifest: Manifest, given: Given): ConfigDocument {
  const known = Object.entries(given.inputs).filter(([name]) => Object.hasOwn(manifest.inputs, name))
  const inputs = validateInputs(manifest, Object.fromEntries(known))
  const secrets: ConfigDocument['secrets'] = {}
  const missing: string[] = []
  for (const resource of manifest.resources) {
    // A generated secret is the platform's own: nobody gives it.
    if (resource.type !== 'secret' || resource.providedBy === 'generated') continue
    const secret = given.secrets[resource.name]
    if (secret) secrets[resource.name] = secret
    else missing.push(`${resource.name} (from the ${resource.providedBy})`)
  }
  if (missing.length === 0) return { inputs: { ...inputs }, secrets, bindings: {} }
  throw new LandfallError({
    code: 'E_SECRET_MISSING',
    message: `Secrets that the release needs have no value here: ${missing.join(', ')}.`,
    hint: 'Set them: `landfall config set DEPLOYMENT --secret NAME=@FILE`, or in the portal.',
  })
}
