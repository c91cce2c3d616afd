import type { CommandUpdate } from '@landfall/contract'
import { type CommandStatus, commandState } from '@landfall/engine'

export interface UpdateEffect {
  /** The pieces of output count. */
  output: boolean
  /** `goes-on`: its lease is moved · `ends`: it is over by this · `comes-late`: it was over already, which is noted */
  does: 'nothing' | 'goes-on' | 'ends' | 'comes-late'
}

/** What an agent's word of a command does to what is known of it; pure. Fenced by the attempt; after an end nothing changes. */
export function effectOf(
  known: { status: CommandStatus; attempt: number },
  update: Pick<CommandUpdate, 'status' | 'attempt'>,
): UpdateEffect {
  if (update.attempt < known.attempt) return { output: false, does: 'nothing' }
  const over = commandState.isOver(known.status)
  // What an ended command still wrote belongs to it, as long as it is of the attempt that ended it.
  const output = !over || update.attempt === known.attempt
  if (update.status === 'running' || update.status === 'postponed')
    return { output, does: over ? 'nothing' : 'goes-on' }
  return { output, does: over ? 'comes-late' : 'ends' }
}
