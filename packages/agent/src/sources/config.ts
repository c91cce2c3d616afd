import type { Order } from '@landfall/contract'
import type { ConfigSource } from '@landfall/engine'
import { digestOf, LandfallError } from '@landfall/stack'
import type { Identity } from '../identity/identity.ts'
import { configName, secretName } from '../orders/config-names.ts'
import type { AgentState } from '../state/agent-state.ts'

/** Configs as orders brought them. A secret stays sealed to the agent's key until a controller writes it. */
export function createAgentConfig(state: AgentState, identity: Identity): ConfigSource {
  return {
    async load(config, deployment) {
      const document = state.get(configName(config)) as Order['config'] | undefined
      if (!document || digestOf(document) !== config) {
        throw new LandfallError({
          code: 'E_CONFIG_UNKNOWN',
          message: `The config ${config} is not at this agent, or was changed there.`,
          hint: 'Have the vendor send the order again with a higher generation, which brings its config.',
        })
      }
      const { inputs, secrets, bindings } = document
      return {
        digest: config,
        inputs,
        bindings,
        secrets: Object.fromEntries(Object.entries(secrets).map(([name, { version }]) => [name, { version }])),
        async openSecret(name) {
          const version = Object.hasOwn(secrets, name) ? secrets[name]?.version : undefined
          const sealed = version === undefined ? undefined : state.get(secretName(name, version))
          if (typeof sealed !== 'string') {
            throw new LandfallError({
              code: 'E_SECRET_MISSING',
              message: `The secret ${name} has no value in this config.`,
              hint: 'Set it, which makes a new target.',
            })
          }
          return identity.open(sealed, `secret:${deployment.id}:${name}:${version}`).toString('utf8')
        },
      }
    },
  }
}
