import { findGate, type GateAnswer } from '@landfall/rollout'
import type { ComputeResource, Gate } from '@landfall/stack'
import type { CommandState } from '../commands/command-state.ts'
import type { CurrentOf } from '../commands/release-check.ts'
import type { Clock, Random } from '../ports/clock.ts'
import type { DeploymentRef } from '../ports/desired.ts'
import type { GateRunner, Verifier } from '../ports/sources.ts'
import { askWebhook, type WebhookCall } from './ask-webhook.ts'
import { WebhookPace } from './webhook-pace.ts'

/** A command that a gate asks for. */
export interface GateCommand {
  deployment: DeploymentRef
  /** Asking twice under one key runs it once. */
  key: string
  rollout: string
  worker: ComputeResource
  /** Version id it must go to; null: the router decides. */
  version: string | null
  gate: { command: string; input?: unknown; timeout: string }
}

export interface GatePorts {
  verifier: Verifier
  currentOf: CurrentOf
  clock: Pick<Clock, 'now'>
  random: Random
  fetch: typeof globalThis.fetch
  /** Of whoever runs the deployment: a manager or an agent. */
  signer: () => WebhookCall['signer']
  /** Queues the command where it is not queued yet, and answers how it stands. */
  command: (ask: GateCommand) => Promise<Pick<CommandState, 'status' | 'error'>>
}

/**
 * Answers the gates that need I/O, in every model. A webhook is asked until it says `pass` or `fail`, ever less often; a command or a
 * job is queued once per rollout and version, under a name made from them, and its end is the answer.
 */
export function createGateRunner(ports: GatePorts): GateRunner {
  const pace = new WebhookPace(ports.clock, ports.random)
  return {
    async ask(spec, context) {
      const { deployment, rollout, version } = context
      const current = await ports.currentOf(deployment)
      const target = current?.state?.candidate ?? current?.state?.stable
      if (!current || !target) return { status: 'wait', message: 'The deployment has no release yet' }
      const release = await ports.verifier.load(target.release, current.trustedKeys, deployment)
      const computeOf = (name: string) => {
        const found = release.manifest.resources.find((resource) => resource.name === name)
        return found?.type === 'worker' || found?.type === 'container' ? found : null
      }
      const worker = computeOf(context.worker)
      const gate = worker?.rollout ? findGate<Gate>(worker.rollout, spec.id) : undefined
      const key = `${spec.id}:${version}`
      if (gate?.kind === 'webhook') {
        const { clock, fetch } = ports
        const name = JSON.stringify([deployment.id, context.worker, rollout, key])
        return pace.ask(name, () =>
          askWebhook({
            ...{ gate, id: spec.id, context, release: release.version, now: clock.now(), fetch },
            signer: ports.signer(),
          }),
        )
      }
      if (gate?.kind === 'command' && worker)
        return askCommand(ports, { deployment, key, rollout, worker, version, gate })
      if (gate?.kind === 'job') {
        const job = computeOf(gate.worker)
        if (!job) return { status: 'fail', message: `The release has no worker ${gate.worker} to run as a job` }
        const call = { command: 'job', input: {}, timeout: gate.timeout }
        // The job's own version follows its own rollout, so the router decides.
        return askCommand(ports, { deployment, key, rollout, worker: job, version: null, gate: call })
      }
      return { status: 'fail', message: `The release has no gate ${spec.id} that a runner can ask` }
    },
  }
}

async function askCommand(ports: GatePorts, ask: GateCommand): Promise<GateAnswer> {
  const { command } = ask.gate
  if (!Object.hasOwn(ask.worker.commands, command)) {
    return { status: 'fail', message: `${ask.worker.name} has no command ${command}` }
  }
  const { status, error } = await ports.command(ask)
  if (status === 'queued' || status === 'running') {
    return { status: 'wait', message: `Command ${command} has not ended yet` }
  }
  if (status === 'succeeded') return { status: 'pass', message: `Command ${command} succeeded` }
  return { status: 'fail', message: `Command ${command}: ${error?.message ?? status}`.slice(0, 500) }
}
