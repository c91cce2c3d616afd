import type { Trx } from '../../store/database.ts'
import { readTargets, storeConfigs } from '../../store/targets/prepare-targets.ts'
import type { StoredReading } from './read-fleet.ts'

/** Stores the configs of those that were just told, in the transaction that told them: who sees the target finds its config. */
export async function storeTold(
  trx: Trx,
  rollout: { project: string; release: string },
  reading: StoredReading,
  told: readonly string[],
  now: number,
): Promise<void> {
  await storeConfigs(trx, reading.fresh, told, now, 'fleet')
  // Of a target that an earlier look worked out only the digest was kept.
  const kept = told.filter((id) => !reading.fresh.configs.has(id))
  if (kept.length === 0) return
  await storeConfigs(trx, await readTargets(trx, rollout.project, kept, rollout.release), kept, now, 'fleet')
}
