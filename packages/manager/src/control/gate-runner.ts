import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { askWebhook, type Clock, type GateRunner, type Verifier, type WebhookCall } from '@landfall/engine'
import { findGate, type GateAnswer } from '@landfall/rollout'
import { type ComputeResource, durationMs, type Gate } from '@landfall/stack'
import { queueCommand } from '../commands/queue-command.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'

export interface GateRunnerDeps {
  db: Database
  keyring: Keyring
  verifier: Verifier
  clock: Clock
  fetch?: typeof globalThis.fetch
  /** Called when a command was queued. */
  onCommand: () => void
}

type GateContext = Parameters<GateRunner['ask']>[1]

/**
 * Answers the gates that need I/O. A webhook is asked again at each look until it says `pass` or `fail`; a command or a job is
 * queued once per rollout and version, under a name made from them, and its end is the answer.
 */
export function createGateRunner(deps: GateRunnerDeps): GateRunner {
  return {
    async ask(spec, context) {
      const row = await deps.db
        .selectFrom('deployments')
        .select(['state', 'policy'])
        .where('id', '=', context.deployment.id)
        .executeTakeFirst()
      const target = row?.state?.candidate ?? row?.state?.stable
      if (!row || !target) return { status: 'wait', message: 'The deployment has no release yet' }
      const release = await deps.verifier.load(target.release, row.policy.trustedKeys, context.deployment)
      const worker = release.manifest.resources.find((resource) => resource.name === context.worker)
      const plan = worker?.type === 'worker' || worker?.type === 'container' ? worker.rollout : undefined
      const gate = plan ? findGate<Gate>(plan, spec.id) : undefined
      if (gate?.kind === 'webhook') {
        return askWebhook({
          gate,
          id: spec.id,
          context,
          release: release.version,
          now: deps.clock.now(),
          fetch: deps.fetch ?? globalThis.fetch,
          signer: webhookSigner(deps.keyring),
        })
      }
      if (gate?.kind === 'command') {
        return askCommand(deps, worker as ComputeResource, context.version, spec.id, context, gate)
      }
      if (gate?.kind === 'job') {
        const job = release.manifest.resources.find((resource) => resource.name === gate.worker)
        if (job?.type !== 'worker' && job?.type !== 'container') {
          return { status: 'fail', message: `The release has no worker ${gate.worker} to run as a job` }
        }
        // The job's own version follows its own rollout, so the router decides.
        return askCommand(deps, job, null, spec.id, context, { command: 'job', input: {}, timeout: gate.timeout })
      }
      return { status: 'fail', message: `The release has no gate ${spec.id} that a runner can ask` }
    },
  }
}

const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The manager's own key for webhooks, out of its master key: the same for ever, and the same for each manager of a database. */
function webhookSigner(keyring: Keyring): WebhookCall['signer'] {
  const seed = keyring.derive('gate webhooks')
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  return {
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64'),
    sign: async (message) => sign(null, message, key),
  }
}

async function askCommand(
  deps: GateRunnerDeps,
  worker: ComputeResource,
  version: string | null,
  id: string,
  context: GateContext,
  gate: { command: string; input?: unknown; timeout: string },
): Promise<GateAnswer> {
  const { db, keyring, clock } = deps
  const { deployment, rollout } = context
  if (!Object.hasOwn(worker.commands, gate.command)) {
    return { status: 'fail', message: `${worker.name} has no command ${gate.command}` }
  }
  const by = `gate:${rollout}`
  const command = await db.transaction().execute((trx) =>
    queueCommand(trx, keyring, {
      project: deployment.project,
      deployment: deployment.id,
      worker: worker.name,
      version,
      command: gate.command,
      input: gate.input ?? {},
      deadline: clock.now() + durationMs(gate.timeout),
      by,
      idempotencyKey: `${id}:${context.version}`,
      at: clock.now(),
    }),
  )
  deps.onCommand()
  const row = await db
    .selectFrom('commands')
    .select(['status', 'error'])
    .where('deployment', '=', deployment.id)
    .where('id', '=', command)
    .executeTakeFirst()
  if (!row || row.status === 'queued' || row.status === 'running') {
    return { status: 'wait', message: `Command ${gate.command} has not ended yet` }
  }
  if (row.status === 'succeeded') return { status: 'pass', message: `Command ${gate.command} succeeded` }
  return { status: 'fail', message: `Command ${gate.command}: ${row.error?.message ?? row.status}`.slice(0, 500) }
}
