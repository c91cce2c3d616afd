import { appendAudit } from '../audit/append-audit.ts'
import type { Trx } from '../store/database.ts'

export const bundleCreated = 'bundle.created'

/**
 * Writes down that a bundle's order was made for a deployment: who, when, for which release. It is a link of the deployment's
 * chain, which is also where `siteNews` reads it. That the bundle was carried anywhere is not known before an export says so.
 */
export async function noteBundle(
  trx: Trx,
  bundle: {
    project: string
    deployment: string
    /** Null: it brings no release that the deployment is told. */
    release: { digest: string; version: string } | null
    generation: number
    actor: string
    at: number
  },
): Promise<void> {
  const { project, deployment, release, generation, actor, at } = bundle
  const message = release
    ? `The order of a bundle with ${release.version} was made`
    : 'The order of a bundle without a release was made'
  const data = { release: release?.digest ?? null, version: release?.version ?? null, generation }
  await appendAudit(trx, [{ project, deployment, type: bundleCreated, actor, message, data, at }])
}
