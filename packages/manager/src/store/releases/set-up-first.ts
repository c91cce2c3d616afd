import type { Trx } from '../database.ts'

/** The first release of a channel is the reviewed setup of the deployments that were created before it and asked for that. */
export async function setUpFirst(
  trx: Trx,
  release: { project: string; channel: string; digest: string },
): Promise<void> {
  await trx
    .updateTable('deployments')
    .set({ setup_release: release.digest, setup_first: false })
    .where('project', '=', release.project)
    .where('channel', '=', release.channel)
    .where('setup_first', '=', true)
    .where('setup_release', 'is', null)
    .where('deleted_at', 'is', null)
    .execute()
}
