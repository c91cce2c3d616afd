import { LandfallError } from '@landfall/stack'
import type { AgentCommands } from './parts.ts'

/** An agent that runs no commands: the manager gives it none, as there is no room. */
export const noCommands: AgentCommands = {
  room: () => 0,
  take: () => {},
  cancel: () => {},
  updates: () => [],
  reported: () => {},
  accept: async () => {
    throw new LandfallError({
      code: 'E_COMMAND_UNREACHABLE',
      message: 'This agent runs no commands.',
      hint: 'Start it with commands.',
    })
  },
  stop: async () => {},
}
