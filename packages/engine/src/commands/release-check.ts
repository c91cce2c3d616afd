import { LandfallError } from '@landfall/stack'
import type { DeploymentRef, Desired } from '../ports/desired.ts'
import type { Verifier } from '../ports/sources.ts'
import type { DeploymentState } from '../state/deployment-state.ts'
import { checkCommand } from './check-command.ts'
import type { HeldCommand } from './command-port.ts'

/** What a deployment is at, as far as its commands are concerned; null when it is not known. */
export type CurrentOf = (
  deployment: DeploymentRef,
) => Promise<{ state: DeploymentState | null; trustedKeys: Desired['policy']['trustedKeys'] } | null>

/**
 * The check at the place where a command runs: against the verified releases of the deployment, never against what somebody
 * says that they hold.
 *
 * @throws LandfallError of `checkCommand`; `E_NOT_READY` (retryable) while no release is there
 */
export function createReleaseCheck(verifier: Verifier, currentOf: CurrentOf): (held: HeldCommand) => Promise<void> {
  return async (held) => {
    const current = await currentOf(held.deployment)
    const targets = [current?.state?.stable, current?.state?.candidate].flatMap((target) => target?.release ?? [])
    if (!current || targets.length === 0) {
      throw new LandfallError({
        code: 'E_NOT_READY',
        message: 'No release runs there yet that could take the command.',
        hint: 'It is tried again by itself until its deadline.',
        retryable: true,
      })
    }
    const load = async (release: string) =>
      (await verifier.load(release, current.trustedKeys, held.deployment)).manifest
    checkCommand(await Promise.all([...new Set(targets)].map(load)), held)
  }
}
