import type { CommandOrder, CommandUpdate } from '@landfall/contract'
import type { Database, Trx } from '../store/database.ts'

/** What waits for one agent. */
export interface WaitingCommands {
  /** Commands that `takeCommands` would give it now. */
  queued: number
  /** Ids of commands that it has and that a person has cancelled; until its update says so. */
  cancel: readonly string[]
}

/**
 * How commands reach agents and come back, as the sync hub uses it. The hub asks `waiting` for all connected deployments at once, when
 * the waker's topic `commands` is woken and at a slow interval: whoever queues or cancels a command wakes it after the commit.
 */
export interface CommandHandover {
  /** Of these deployments those for which something waits: one query for all of them. Those that are not named have nothing. */
  waiting(db: Database, deployments: readonly string[]): Promise<ReadonlyMap<string, WaitingCommands>>
  /**
   * Leases at most `room` commands to a session and answers them. A command that was given to this session before is given again only
   * when its lease has passed: an answer may be lost on the way.
   */
  takeCommands(
    db: Database,
    of: { deployment: string; room: number; session: number; at: number },
  ): Promise<readonly CommandOrder[]>
  /** Takes in what an agent says of its commands, within the transaction of its report, by sync or by export. Each may come twice. */
  acceptUpdates(trx: Trx, of: { deployment: string; updates: readonly CommandUpdate[]; at: number }): Promise<void>
}

/** Gives none, takes none. */
export const noCommands: CommandHandover = {
  waiting: async () => new Map(),
  takeCommands: async () => [],
  acceptUpdates: async () => {},
}
