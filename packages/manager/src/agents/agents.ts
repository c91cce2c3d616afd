import type { Report } from '@landfall/contract'
import type { Clock } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import { createCommandHandover } from '../commands/agent-handover.ts'
import { nudgeRollout } from '../control/fleet-loops.ts'
import type { Waker } from '../control/waker.ts'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import type { CommandHandover } from './command-handover.ts'
import { AgentHub, type Poll } from './hub/hub.ts'
import { replyKey } from './reply-key.ts'
import { type Accepted, acceptReport } from './report/accept-report.ts'
import { SessionTokens } from './session-token.ts'
import { noteTrouble } from './trouble.ts'

export interface AgentsOptions {
  db: Database
  keyring: Keyring
  clock: Clock
  waker: Pick<Waker, 'wake'>
  commands?: CommandHandover
  poll?: Partial<Poll>
  /** Syncs that are held at once, at most. */
  maxWaiting?: number
}

/** Everything in a manager that has to do with agents; one of it in a process. */
export interface Agents {
  readonly hub: AgentHub
  readonly tokens: SessionTokens
  readonly commands: CommandHandover
  /** What agents hand back is sealed to it. */
  readonly reply: ReturnType<typeof replyKey>
  readonly poll: Poll
  /** Takes one report in, whatever road it came: `acceptReport` in a transaction of its own, and who is concerned is woken. */
  takeReport(deployment: string, report: Report, via: 'sync' | 'export'): Promise<Accepted>
}

export const defaultPoll: Poll = { waitMs: 50_000, intervalMs: 30_000, jitterMs: 10_000 }

export function createAgents(options: AgentsOptions): Agents {
  const { db, keyring, clock, waker, maxWaiting } = options
  const commands = options.commands ?? createCommandHandover(keyring, clock)
  const poll = { ...defaultPoll, ...options.poll }
  const takeReport: Agents['takeReport'] = async (deployment, report, via) => {
    const at = clock.now()
    const accept = () => db.transaction().execute((trx) => acceptReport(trx, { deployment, report, via, commands, at }))
    const accepted = await accept().catch(async (error: unknown) => {
      // A record that does not hold is told to people; that it was found must not go with what was refused.
      if (LandfallError.is(error, 'E_AUDIT_BROKEN')) {
        const { code, message } = error
        await db.transaction().execute((trx) => noteTrouble(trx, { deployment, code, message, at }))
      }
      throw error
    })
    if (accepted.taken) waker.wake('changes', ...(report.commands.length > 0 ? (['commands'] as const) : []))
    // Somebody may sit in front of it: what the channel runs is not to wait for the next look.
    if (accepted.first) waker.wake('rollouts')
    // A rollout that was not nudged looks by itself, some seconds later.
    if (accepted.nudge !== null) {
      await nudgeRollout(db, accepted.nudge).then(
        () => waker.wake('rollouts'),
        () => {},
      )
    }
    return accepted
  }
  const accept = (deployment: string, report: Report) => takeReport(deployment, report, 'sync')
  const hub = new AgentHub({
    db,
    keyring,
    clock,
    commands,
    poll,
    accept,
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
  })
  return { hub, tokens: new SessionTokens(keyring), commands, reply: replyKey(keyring), poll, takeReport }
}
