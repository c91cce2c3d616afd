import type { DeploymentRef } from '@landfall/engine'
import { stopHost } from '@landfall/platform-local'

/** Ends the daemon of an environment and its workers; its files go with the test's directory. */
export async function stopEnvironment(deployment: DeploymentRef): Promise<void> {
  if (typeof deployment.environment.directory === 'string') await stopHost(deployment)
}
