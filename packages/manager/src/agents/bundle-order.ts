import type { Order } from '@landfall/contract'
import type { Target } from '@landfall/engine'
import { confirmedExport } from '../exports/confirmed-export.ts'
import { conflict } from '../http/refusals.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Trx } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { newId } from '../store/new-id.ts'
import { findRelease, type ReleaseRow } from '../store/releases/find-release.ts'
import { prepareTarget } from '../store/targets/prepare-targets.ts'
import { bumpGeneration, tellTarget } from '../store/targets/tell-target.ts'
import { buildOrder } from './order/build-orders.ts'
import { noAgent } from './refusals.ts'
import { hasAgent } from './set-up.ts'

/**
 * The order that a bundle takes along; where a release is named, the deployment is told it first. One whose rollout was aborted, or that
 * this deployment went back from, only with `force`. The caller holds the deployment's row lock.
 *
 * @throws LandfallError `E_MODEL`, `E_NOT_FOUND`, `E_CONFLICT`, `E_AGENT_NOT_ENROLLED`, those of `prepareTarget`
 */
export async function bundleOrder(
  trx: Trx,
  keyring: Keyring,
  row: DeploymentRow,
  of: { release: string | undefined; force: boolean; actor: string; at: number },
): Promise<Order> {
  if (!hasAgent(row.model)) throw noAgent(row.name)
  if (of.release !== undefined) await tell(trx, row, await findRelease(trx, row.project, of.release), of)
  const order = await buildOrder(trx, keyring, row.id)
  const confirmed = await confirmedExport(trx, row.id)
  return confirmed === 0 ? order : { ...order, confirmed }
}

async function tell(
  trx: Trx,
  row: DeploymentRow,
  release: ReleaseRow,
  { force, actor, at }: { force: boolean; actor: string; at: number },
): Promise<void> {
  const { project, id: deployment } = row
  const target = await prepareTarget(trx, row, release.digest, at, actor)
  const back = (row.state?.rejected ?? []).some((one) => one.target === target.digest)
  if (!force) await requireGood(trx, row, release, back)
  const message = `It was told to run ${release.version}, which a bundle brings.`
  const told = await tellTarget(trx, { deployment, project, target, cause: 'bundle', actor, message, at })
  if (!back) return
  await askRetry(trx, deployment, target, actor, at)
  if (!told) await bumpGeneration(trx, deployment)
}

async function requireGood(trx: Trx, row: DeploymentRow, release: ReleaseRow, back: boolean): Promise<void> {
  const hint = 'Release a fix, or say `force`.'
  if (back) throw conflict(`${row.name} went back from ${release.version}.`, hint)
  const rollout = await trx
    .selectFrom('rollouts')
    .select('phase')
    .where('project', '=', row.project)
    .where('release', '=', release.digest)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  const aborted = rollout?.phase === 'aborting' || rollout?.phase === 'aborted'
  if (aborted) throw conflict(`The rollout of ${release.version} was aborted.`, hint)
}

/** The engine remembers what went back, and tries it again only when a person says so. */
async function askRetry(trx: Trx, deployment: string, target: Target, by: string, at: number): Promise<void> {
  await trx
    .insertInto('controls')
    .values({
      deployment,
      id: newId('ctl'),
      kind: 'retry',
      by,
      reason: 'A bundle brings it once more',
      target: target.digest,
      at: new Date(at),
    })
    .execute()
}
