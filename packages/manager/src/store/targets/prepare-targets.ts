import type { Target } from '@landfall/engine'
import { digestOf, LandfallError, type Manifest, validateInputs } from '@landfall/stack'
import { sql } from 'kysely'
import type { Database, Trx } from '../database.ts'
import { findRelease } from '../releases/find-release.ts'
import type { ConfigDocument, InputValue } from '../tables/deployments.ts'

/** What a deployment would be told for a release, or why it can't be: a value or a secret is missing or not allowed. */
export type Prepared = { target: Target } | { refusal: LandfallError }

/** Rows in one statement: one parameter each time, however many they are, and bounded memory. */
const rowsAtOnce = 10_000

interface Given {
  inputs: Record<string, InputValue>
  secrets: Record<string, { version: number; hash: string }>
}
const nothing: Given = { inputs: {}, secrets: {} }

/** Targets by deployment, and the configs that they name: a target is told only once its config is stored. */
export interface PreparedTargets {
  prepared: ReadonlyMap<string, Prepared>
  configs: ReadonlyMap<string, ConfigDocument>
}

/**
 * The target of each deployment for one release: the release with the deployment's own config. The config is what was set,
 * with the release's defaults filled in and what the release does not know left out. Says nothing of whether the deployment is
 * allowed to run the release. Writes nothing: a look at a fleet reads the targets of all, and tells a few.
 */
export async function readTargets(
  db: Database | Trx,
  project: string,
  deployments: readonly string[],
  releaseDigest: string,
): Promise<PreparedTargets> {
  const prepared = new Map<string, Prepared>()
  const configs = new Map<string, ConfigDocument>()
  if (deployments.length === 0) return { prepared, configs }
  const { statement } = await findRelease(db, project, releaseDigest)
  const given = await readGiven(db, deployments)
  for (const deployment of deployments) {
    try {
      const document = configFor(statement.manifest, given.get(deployment) ?? nothing)
      const pair = { release: releaseDigest, config: digestOf(document) }
      prepared.set(deployment, { target: { digest: digestOf(pair), ...pair } })
      configs.set(deployment, document)
    } catch (error) {
      if (!LandfallError.is(error)) throw error
      prepared.set(deployment, { refusal: error })
    }
  }
  return { prepared, configs }
}

/** The same, with the configs stored. */
export async function prepareTargets(
  db: Database | Trx,
  project: string,
  deployments: readonly string[],
  releaseDigest: string,
  at: number,
  by: string,
): Promise<ReadonlyMap<string, Prepared>> {
  const targets = await readTargets(db, project, deployments, releaseDigest)
  await storeConfigs(db, targets, deployments, at, by)
  return targets.prepared
}

/** Stores the configs of these deployments' targets, by their digests; what is there already stays. */
export async function storeConfigs(
  db: Database | Trx,
  { prepared, configs }: PreparedTargets,
  deployments: readonly string[],
  at: number,
  by: string,
): Promise<void> {
  const rows = deployments.flatMap((deployment) => {
    const one = prepared.get(deployment)
    const document = configs.get(deployment)
    return one && 'target' in one && document ? [{ deployment, digest: one.target.config, document }] : []
  })
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const some = rows.slice(from, from + rowsAtOnce)
    // Arrays: PostgreSQL reads them in half the time that records in JSON take.
    await sql`insert into configs (deployment, digest, document, created_at, created_by)
      select deployment, digest, document, ${new Date(at)}, ${by}
      from unnest(${some.map((row) => row.deployment)}::text[], ${some.map((row) => row.digest)}::text[],
        ${some.map((row) => JSON.stringify(row.document))}::jsonb[]) as given (deployment, digest, document)
      on conflict do nothing`.execute(db)
  }
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
  // An array is one parameter: a list of them ends at 65,535.
  const ours = sql<boolean>`deployment = any(${[...deployments]}::text[])`
  const inputs = await db.selectFrom('inputs').select(['deployment', 'name', 'value']).where(ours).execute()
  for (const row of inputs) {
    const of = given.get(row.deployment)
    if (of) of.inputs[row.name] = row.value
  }
  const secrets = await db
    .selectFrom('secrets')
    .select(['deployment', 'name', 'version', 'hash', 'removed_at'])
    .distinctOn(['deployment', 'name'])
    .where(ours)
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
