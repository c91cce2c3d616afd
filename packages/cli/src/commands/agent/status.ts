import type { AgentStatus } from '@landfall/agent'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { Exit, exitCodes } from '../../exit-codes.ts'
import { calling } from './connect.ts'
import { describeAgent, describeWaits } from './describe-agent.ts'

export function agentStatusCommands(parent: Command, world: World): void {
  calling(parent, world, {
    name: 'status',
    summary: 'What runs, what is asked, what waits for a person (exit code 3 when something does)',
    examples: ['agent status', 'agent status --data /var/lib/landfall-agent --json'],
    async run(client, context) {
      const status = await client.json<AgentStatus>({ method: 'GET', path: '/v1/status' })
      context.output.data(status, () => describeAgent(status, context.output))
      if (status.waits.length > 0) throw new Exit(exitCodes.waits)
    },
  })
  calling(parent, world, {
    name: 'explain',
    summary: 'Why it is where it is: what it waits for, and since when',
    examples: ['agent explain'],
    async run(client, context) {
      const { explanation, waits, problems } = await client.json<AgentStatus>({ method: 'GET', path: '/v1/status' })
      context.output.data({ explanation, waits, problems }, () =>
        [
          explanation?.sentence ??
            'No order has reached this site yet: import a bundle, or see whether it reaches the manager.',
          ...(explanation?.waitsFor ?? []).map(
            (reason) => `  ${reason.message}  ${context.output.style('dim', reason.code)}`,
          ),
          ...problems.map((problem) => `  ${problem.message}  ${context.output.style('dim', problem.code)}`),
          ...describeWaits(waits),
        ].join('\n'),
      )
      if (waits.length > 0) throw new Exit(exitCodes.waits)
    },
  })
}
