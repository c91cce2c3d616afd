import type { Target } from '@landfall/engine'
import { compareReleases } from '@landfall/release'
import type { Database } from '../store/database.ts'
import { findRelease } from '../store/releases/find-release.ts'
import type { ConfigDocument } from '../store/tables/deployments.ts'

export interface Line {
  area: string
  change: string
}

/** What changes from what runs (null: nothing) to a target, in plain words: release and config. Of secrets the names alone. */
export async function targetDifference(
  db: Database,
  deployment: { id: string; project: string },
  before: Target | null,
  after: Target,
): Promise<Line[]> {
  const release = async (target: Target) => (await findRelease(db, deployment.project, target.release)).statement
  const old = before && (await release(before))
  const { lines } = compareReleases(old, await release(after))
  const [was, is] = [await configOf(db, deployment.id, before), await configOf(db, deployment.id, after)]
  return [...lines.map(({ area, change }) => ({ area, change })), ...configLines(was, is)]
}

function configLines(before: ConfigDocument | null, after: ConfigDocument | null): Line[] {
  const names = (one: 'inputs' | 'secrets') =>
    [...new Set([...Object.keys(before?.[one] ?? {}), ...Object.keys(after?.[one] ?? {})])].sort()
  const say = (change: string): Line => ({ area: 'config', change })
  const inputs = names('inputs').flatMap((name) => {
    const [was, is] = [before?.inputs[name], after?.inputs[name]]
    if (was === is) return []
    if (is === undefined) return [say(`the input ${name} is no longer set`)]
    return [say(`the input ${name} is ${is}${was === undefined ? '' : `; it was ${was}`}`)]
  })
  const secrets = names('secrets').flatMap((name) => {
    const [was, is] = [before?.secrets[name], after?.secrets[name]]
    if (was?.hash === is?.hash && was?.version === is?.version) return []
    if (!is) return [say(`the secret ${name} is no longer used`)]
    return [say(was ? `the secret ${name} has a new value` : `the secret ${name} is used`)]
  })
  return [...inputs, ...secrets]
}

async function configOf(db: Database, deployment: string, target: Target | null): Promise<ConfigDocument | null> {
  if (!target) return null
  const row = await db
    .selectFrom('configs')
    .select('document')
    .where('deployment', '=', deployment)
    .where('digest', '=', target.config)
    .executeTakeFirst()
  return row?.document ?? null
}
