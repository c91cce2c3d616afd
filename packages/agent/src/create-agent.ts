import type { Agent, AgentStatus } from './agent.ts'
import type { AgentParts } from './parts.ts'
import { answerHere } from './settings/answer-here.ts'
import { changeHere } from './settings/change-here.ts'
import type { Site } from './site/open-site.ts'
import { agentStatus } from './status/agent-status.ts'

/** The running agent's face, over its parts. */
export function createAgent(
  parts: AgentParts,
  site: Site,
  running: { sync: () => AgentStatus['sync']; stop: () => Promise<void> },
): Agent {
  const { importBundle, exportTo, confirmExports, command, pause, resume, audit, verifyAudit, logs } = site
  return {
    status: () => agentStatus(parts, running.sync()),
    answer: (given) => answerHere(parts, given),
    changeSettings: async (change, by) => changeHere(parts, change, by),
    ...{ importBundle, exportTo, confirmExports, command, pause, resume, audit, verifyAudit, logs },
    stop: running.stop,
  }
}
