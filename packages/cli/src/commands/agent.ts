import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { agentAnswerCommands } from './agent/answer.ts'
import { agentAuditCommands } from './agent/audit.ts'
import { agentBundleCommands } from './agent/bundles.ts'
import { agentInit } from './agent/init.ts'
import { agentRun } from './agent/run.ts'
import { agentSettingCommands } from './agent/settings.ts'
import { agentStatusCommands } from './agent/status.ts'
import { agentUpkeepCommands } from './agent/upkeep.ts'
import { family } from './define.ts'

/** What a person at the customer's site runs; none of it needs a network. */
export function agentCommands(program: Command, world: World): void {
  const agent = family(program, 'agent', 'The agent in the customer’s environment: pull, or without network')
  for (const register of [
    agentInit,
    agentRun,
    agentStatusCommands,
    agentBundleCommands,
    agentAnswerCommands,
    agentSettingCommands,
    agentAuditCommands,
    agentUpkeepCommands,
  ]) {
    register(agent, world)
  }
}
