import { accountRoutes } from './accounts.ts'
import { agentRoutes } from './agents.ts'
import { deploymentRoutes } from './deployments.ts'
import { portalRoutes } from './portal.ts'
import { releaseRoutes } from './releases.ts'
import { rolloutRoutes } from './rollouts.ts'
import { systemRoutes } from './system.ts'
import { telemetryRoutes } from './telemetry.ts'

/** Every route of the manager, by operation. The server mounts it, the OpenAPI document and the client are made from it. */
export const routes = {
  ...systemRoutes,
  ...accountRoutes,
  ...releaseRoutes,
  ...deploymentRoutes,
  ...rolloutRoutes,
  ...telemetryRoutes,
  ...agentRoutes,
  ...portalRoutes,
}
export type Routes = typeof routes
export type Operation = keyof Routes
