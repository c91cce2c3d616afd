import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import {
  type Clock,
  createGateRunner,
  type GateCommand,
  type GateRunner,
  type Random,
  type Verifier,
  type WebhookCall,
} from '@landfall/engine'
import { durationMs } from '@landfall/stack'
import { currentOf } from '../commands/current-of.ts'
import { queueCommand } from '../commands/queue-command.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'

export interface GateRunnerDeps {
  db: Database
  keyring: Keyring
  verifier: Verifier
  clock: Clock
  random: Random
  fetch?: typeof globalThis.fetch
  /** Called when a command was queued. */
  onCommand: () => void
}

/** The gates of the deployments that this manager runs. */
export function createManagerGates(deps: GateRunnerDeps): GateRunner {
  const { db, keyring, verifier, clock, random } = deps
  const signer = webhookSigner(keyring)
  return createGateRunner({
    ...{ verifier, clock, random, fetch: deps.fetch ?? globalThis.fetch },
    currentOf: ({ id }) => currentOf(db, id),
    signer: () => signer,
    command: (ask) => command(deps, ask),
  })
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

async function command({ db, keyring, clock, onCommand }: GateRunnerDeps, ask: GateCommand) {
  const { deployment, rollout, worker, version, gate } = ask
  const id = await db.transaction().execute((trx) =>
    queueCommand(trx, keyring, {
      project: deployment.project,
      deployment: deployment.id,
      worker: worker.name,
      version,
      command: gate.command,
      input: gate.input ?? {},
      deadline: clock.now() + durationMs(gate.timeout),
      by: `gate:${rollout}`,
      idempotencyKey: ask.key,
      at: clock.now(),
    }),
  )
  onCommand()
  return db
    .selectFrom('commands')
    .select(['status', 'error'])
    .where('deployment', '=', deployment.id)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}
