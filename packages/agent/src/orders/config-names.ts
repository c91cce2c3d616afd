import type { Order } from '@landfall/contract'
import type { DeploymentState, Target } from '@landfall/engine'
import type { AgentState } from '../state/agent-state.ts'

export const configName = (digest: string): string => `config/${digest}`
export const secretName = (name: string, version: number): string => `secret/${name}/${version}`

/** Targets that may still run here: wanted, brought, running, or to go back to. */
export function keptTargets(state: DeploymentState | null, wanted: Target | null): Target[] {
  const all = [wanted, state?.candidate, state?.stable, state?.previous, ...(state?.history ?? [])]
  return all.filter((target) => target !== null && target !== undefined)
}

/** Drops configs and secrets that no target has any more. Within the transaction around it. */
export function forgetConfigs(state: AgentState, deployment: DeploymentState | null, wanted: Target | null): void {
  const kept = new Set(keptTargets(deployment, wanted).map(({ config }) => configName(config)))
  const secrets = new Set<string>()
  for (const name of state.names('config/')) {
    if (!kept.has(name)) {
      state.delete(name)
      continue
    }
    const document = state.get(name) as NonNullable<Order['config']>
    for (const [secret, { version }] of Object.entries(document.secrets)) secrets.add(secretName(secret, version))
  }
  for (const name of state.names('secret/')) if (!secrets.has(name)) state.delete(name)
}
