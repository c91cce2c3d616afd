import type { Target } from '@landfall/engine'
import type { Manifest } from '@landfall/stack'
import type { Database, Trx } from '../store/database.ts'
import type { DeploymentRow } from '../store/deployments/find-deployment.ts'
import { findRelease, type ReleaseRow } from '../store/releases/find-release.ts'
import { askedGates } from './asked-gates.ts'

/** Something that a person may answer now. */
export interface Answerable {
  gate: string
  target: Target
  release: ReleaseRow
  /** Milliseconds since the epoch; null: when the target was told. */
  since: number | null
}

/**
 * What may be answered now: the target that the deployment is asked to run and does not rest on, and each approval gate at which
 * its rollout waits. In every mode: a refusal counts always.
 */
export async function askedNow(db: Database | Trx, row: DeploymentRow): Promise<Answerable[]> {
  if (row.operation === 'destroy') return []
  const { target, state } = row
  const asked: Answerable[] = []
  const known = [state?.stable, ...(state?.history ?? [])].map((one) => one?.digest)
  if (target && !known.includes(target.digest)) {
    asked.push({ gate: 'update', target, release: await findRelease(db, row.project, target.release), since: null })
  }
  if (state?.candidate) {
    const candidate = state.candidate
    const release = await findRelease(db, row.project, candidate.release)
    const manifest: Manifest = release.statement.manifest
    for (const { gate, since } of askedGates(state, manifest)) asked.push({ gate, target: candidate, release, since })
  }
  return asked
}
