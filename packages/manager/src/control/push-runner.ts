import {
  createRunner,
  type DeploymentRef,
  type EngineDeps,
  type Platform,
  type Runner,
  type StateStore,
} from '@landfall/engine'
import { LandfallError, type PlatformName } from '@landfall/stack'
import type { Platforms } from './control.ts'

/** The platform of a deployment. @throws LandfallError `E_PLATFORM_UNAVAILABLE` */
export function platformOf(platforms: Platforms, deployment: Pick<DeploymentRef, 'platform'>): Platform {
  const platform = platforms[deployment.platform]
  if (platform) return platform
  throw new LandfallError({
    code: 'E_PLATFORM_UNAVAILABLE',
    message: `This manager has no platform ${deployment.platform}.`,
    hint: 'Start a manager that has it.',
  })
}

export const platformNamesOf = (platforms: Platforms) => Object.keys(platforms) as PlatformName[]

/** How runs ended, for `/metrics`; only rises. */
export type RunCounts = Record<'rests' | 'yielded' | 'stopped' | 'lost', number>

/** The engine's runner with the manager's own credentials: claims what is due in the database and brings it about. */
export function startPushRunner(
  deps: Omit<EngineDeps, 'platform' | 'store'> & { platforms: Platforms; store: StateStore; concurrency: number },
): { runner: Runner; counts: RunCounts } {
  const counts: RunCounts = { rests: 0, yielded: 0, stopped: 0, lost: 0 }
  const runner = createRunner({
    ...deps,
    platform: (deployment) => platformOf(deps.platforms, deployment),
    onOutcome: (outcome) => {
      counts[outcome.ended] += 1
    },
  })
  runner.start()
  return { runner, counts }
}
