import type { Desired } from '@landfall/engine'
import type { DeploymentRow } from './find-deployment.ts'

/** What is asked of a deployment, without the controls and answers that only its runner needs. */
export function desiredOfRow(row: DeploymentRow): Desired {
  const { id, name, project, prefix, platform, model, environment, policy, customer } = row
  return {
    generation: row.requested_generation,
    deployment: { id, name, project, prefix, platform, model, environment },
    operation: row.operation,
    target: row.target,
    setup: row.setup_release === null ? null : { release: row.setup_release },
    controls: [],
    customer: { updates: customer.updates, access: customer.access, windows: customer.windows },
    answers: [],
    policy: { drift: policy.drift, windowClose: policy.windowClose, trustedKeys: policy.trustedKeys },
  }
}
