import type { Client } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'

/**
 * That nobody has turned away from a release: its newest rollout was not aborted. A file that travels for days can't be called back.
 *
 * @throws LandfallError `E_RELEASE_ABORTED`
 */
export async function requireWanted(
  client: Client,
  project: string,
  release: { version: string; rollout: string | null },
): Promise<void> {
  if (release.rollout === null) return
  const { phase, reason } = await client.getRollout({ params: { project, rollout: release.rollout } })
  if (phase !== 'aborting' && phase !== 'aborted') return
  throw new LandfallError({
    code: 'E_RELEASE_ABORTED',
    message: `The rollout of ${release.version} was aborted: ${reason.message}.`,
    hint: 'Release a fix and make the bundle with that. To carry this one all the same, give --force.',
  })
}
