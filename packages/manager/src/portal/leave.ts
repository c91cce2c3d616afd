import type { DeploymentRow } from '../store/deployments/find-deployment.ts'

/** How to end access for good in the customer's own environment, without asking the vendor or the manager. */
export function leaveWords(row: Pick<DeploymentRow, 'platform' | 'model' | 'environment' | 'prefix'>): string[] {
  const agent = row.model === 'push' ? [] : ['Stop the agent and remove its directory: nobody else can work in here.']
  return [...agent, ...onPlatform(row)]
}

function onPlatform({ platform, model, environment, prefix }: Parameters<typeof leaveWords>[0]): string[] {
  if (platform === 'local') {
    const directory = typeof environment.directory === 'string' ? environment.directory : 'the environment’s directory'
    return [
      `Remove the file \`${directory}/landfall-access\`: from then on nothing is changed; what runs goes on.`,
      `To end what runs too, stop the processes that run out of \`${directory}\` and remove the directory.`,
    ]
  }
  if (platform === 'kubernetes') {
    return [`Remove the service account that was set up for this: every object of it carries the name \`${prefix}\`.`]
  }
  const identity = { aws: 'IAM role', gcp: 'service account', azure: 'managed identity' }[platform]
  const who = model === 'push' ? 'the manager' : 'the agent'
  return [
    `Delete the ${identity} whose name begins with \`${prefix}\`: ${who} can do nothing from then on.`,
    `What it made carries names that begin with \`${prefix}\`: remove it when you no longer need it.`,
  ]
}
