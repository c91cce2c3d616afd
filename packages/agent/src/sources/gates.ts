import {
  type Clock,
  createGateRunner,
  type GatePorts,
  type GateRunner,
  type Random,
  type Verifier,
} from '@landfall/engine'
import type { Identity } from '../identity/identity.ts'
import type { AgentStore } from '../store/agent-store.ts'

export type GateCommands = GatePorts['command']

/** Gates that need I/O, asked from the site: a webhook signed by the agent's key, a command or a job in its own workers. */
export function createAgentGates(deps: {
  store: AgentStore
  verifier: Verifier
  identity: Identity
  clock: Pick<Clock, 'now'>
  random: Random
  fetch: typeof globalThis.fetch
  /** Null: commands are not there yet. */
  commands: () => GateCommands | null
  /** False: this site asks none. Their addresses are the vendor's, and the agent may reach what the vendor may not. */
  webhooks: boolean
}): GateRunner {
  const { store, verifier, identity, clock, random, fetch, commands } = deps
  const runner = createGateRunner({
    ...{ verifier, clock, random, fetch },
    currentOf: async ({ id }) => {
      const look = store.look(id)
      return look ? { state: look.state, trustedKeys: look.desired.policy.trustedKeys } : null
    },
    signer: () => ({ publicKey: identity.keys.sign, sign: (message) => identity.signer.sign(message) }),
    command: async (ask) => (await commands()?.(ask)) ?? { status: 'queued', error: null },
  })
  if (deps.webhooks) return runner
  return {
    // Refused rather than waited for: nobody here would ever answer.
    ask: async (gate, context) =>
      gate.kind === 'webhook'
        ? { status: 'fail', message: 'This site asks no webhooks: its agent runs with --no-webhooks' }
        : runner.ask(gate, context),
  }
}
