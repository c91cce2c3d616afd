import type { CommandStore } from '@landfall/engine'
import type { Scope } from '../control/store/claim.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { claimCommand } from './claim-command.ts'
import { postponeCommand, renewCommand } from './command-leases.ts'
import { finishCommand } from './finish-command.ts'
import { writeOutput, writtenOf } from './write-output.ts'

/** The queue of the commands that managers run themselves. */
export function createCommandStore(deps: {
  db: Database
  keyring: Keyring
  scope: Scope
  perDeployment?: number
}): CommandStore {
  const { db, keyring, scope, perDeployment } = deps
  const fair = perDeployment === undefined ? {} : { perDeployment }
  return {
    claim: (owner, ttlMs, now) => claimCommand(db, keyring, scope, { owner, ttlMs, now, ...fair }),
    renew: (held, until) => renewCommand(db, held, until),
    finish: (held, outcome, at) => finishCommand(db, keyring, held, outcome, at),
    postpone: (held, until) => postponeCommand(db, held, until),
    written: (held) => writtenOf(db, { deployment: held.deployment.id, id: held.id }),
    output: (held, piece) => writeOutput(db, keyring, held, piece),
  }
}
