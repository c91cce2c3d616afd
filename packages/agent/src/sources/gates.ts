import { askWebhook, type Clock, type GateRunner, type Verifier } from '@landfall/engine'
import { findGate } from '@landfall/rollout'
import type { ComputeResource, Gate } from '@landfall/stack'
import type { Identity } from '../identity/identity.ts'
import type { AgentStore } from '../store/agent-store.ts'

/** A command run as a gate or a job: the same name asks for the same run, and its end is the answer. */
export type GateCommands = (ask: {
  /** Made from rollout, gate and version: asking twice runs it once. */
  key: string
  rollout: string
  worker: ComputeResource
  /** Null: the router decides. */
  version: string | null
  gate: { command: string; input?: unknown; timeout: string }
}) => Promise<Awaited<ReturnType<GateRunner['ask']>>>

/** Gates that need I/O, asked from the site: a webhook signed by the agent's key, a command or a job in its own workers. */
export function createAgentGates(deps: {
  store: AgentStore
  verifier: Verifier
  identity: Identity
  clock: Pick<Clock, 'now'>
  fetch: typeof globalThis.fetch
  /** Null: this agent runs no commands. */
  commands: () => GateCommands | null
}): GateRunner {
  return {
    async ask(spec, context) {
      const look = deps.store.look(context.deployment.id)
      const target = look?.state?.candidate ?? look?.state?.stable
      if (!look || !target) return { status: 'wait', message: 'The deployment has no release yet' }
      const release = await deps.verifier.load(target.release, look.desired.policy.trustedKeys, context.deployment)
      const computeOf = (name: string) => {
        const found = release.manifest.resources.find((resource) => resource.name === name)
        return found?.type === 'worker' || found?.type === 'container' ? found : null
      }
      const worker = computeOf(context.worker)
      const gate = worker?.rollout ? findGate<Gate>(worker.rollout, spec.id) : undefined
      if (gate?.kind === 'webhook') {
        const { identity, clock, fetch } = deps
        const signer = { publicKey: identity.keys.sign, sign: (message: Uint8Array) => identity.signer.sign(message) }
        return askWebhook({ gate, id: spec.id, context, release: release.version, now: clock.now(), fetch, signer })
      }
      const { rollout, version } = context
      const key = `${rollout}/${spec.id}:${version}`
      const run = deps.commands()
      if ((gate?.kind === 'command' || gate?.kind === 'job') && !run) {
        return { status: 'wait', message: 'This agent runs no commands' }
      }
      if (gate?.kind === 'command' && worker && run) {
        if (!Object.hasOwn(worker.commands, gate.command)) {
          return { status: 'fail', message: `${worker.name} has no command ${gate.command}` }
        }
        return run({ key, rollout, worker, version, gate })
      }
      if (gate?.kind === 'job' && run) {
        const job = computeOf(gate.worker)
        if (!job) return { status: 'fail', message: `The release has no worker ${gate.worker} to run as a job` }
        // The job's own version follows its own rollout, so the router decides.
        return run({
          key,
          rollout,
          worker: job,
          version: null,
          gate: { command: 'job', input: {}, timeout: gate.timeout },
        })
      }
      return { status: 'fail', message: `The release has no gate ${spec.id} that a runner can ask` }
    },
  }
}
