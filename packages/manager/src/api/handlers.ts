import { agentHandlers } from './handlers/agents.ts'
import { auditHandlers } from './handlers/audit.ts'
import { authHandlers } from './handlers/auth.ts'
import { blobHandlers } from './handlers/blobs.ts'
import { changeDeploymentHandlers } from './handlers/change-deployment.ts'
import { changeHandlers } from './handlers/changes.ts'
import { channelHandlers } from './handlers/channels.ts'
import { commandHandlers } from './handlers/commands.ts'
import { configHandlers } from './handlers/config.ts'
import { deploymentHandlers } from './handlers/deployments.ts'
import { docsHandlers } from './handlers/docs.ts'
import { exportHandlers } from './handlers/exports.ts'
import { freezeHandlers } from './handlers/freezes.ts'
import { groupHandlers } from './handlers/groups.ts'
import { portalHandlers } from './handlers/portal.ts'
import { projectHandlers } from './handlers/projects.ts'
import { releaseHandlers } from './handlers/releases.ts'
import { rolloutHandlers } from './handlers/rollouts.ts'
import { systemHandlers } from './handlers/system.ts'
import { telemetryHandlers } from './handlers/telemetry.ts'
import { tokenHandlers } from './handlers/tokens.ts'
import { userHandlers } from './handlers/users.ts'

/** Every operation of the contract with what does it. */
export const handlers = {
  ...systemHandlers,
  ...docsHandlers,
  ...authHandlers,
  ...userHandlers,
  ...tokenHandlers,
  ...projectHandlers,
  ...blobHandlers,
  ...releaseHandlers,
  ...channelHandlers,
  ...deploymentHandlers,
  ...changeDeploymentHandlers,
  ...configHandlers,
  ...groupHandlers,
  ...freezeHandlers,
  ...rolloutHandlers,
  ...commandHandlers,
  ...telemetryHandlers,
  ...auditHandlers,
  ...changeHandlers,
  ...agentHandlers,
  ...exportHandlers,
  ...portalHandlers,
}
