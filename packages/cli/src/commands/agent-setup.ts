import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { define } from './define.ts'

/** `landfall deployments agent-setup`: what a customer gets to set an agent up with. */
export function agentSetupCommand(deployments: Command, world: World): void {
  define<{ out?: string; replace?: boolean; agentUrl?: string }>(deployments, world, {
    name: 'agent-setup',
    summary:
      'Make the setup of a deployment’s agent (pull, airgapped): a file for the customer, with a token for one enrolment',
    examples: ['deployments agent-setup globex', 'deployments agent-setup globex --replace --out globex-2.setup.json'],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .option('--out <file>', 'where (NAME.setup.json by default); it is not overwritten')
        .option('--replace', 'end the agent that is enrolled, so that another can take its place')
        .option('--agent-url <url>', 'how the agent reaches the manager, where that is not its public address'),
    async run(context, [deployment = ''], options) {
      const setup = await context.client().createAgentSetup({
        params: { project: context.project(), deployment },
        body: { replace: options.replace === true, ...(options.agentUrl && { url: options.agentUrl }) },
      })
      const file = resolve(context.directory, options.out ?? `${setup.deployment.name}.setup.json`)
      await writeFile(file, `${JSON.stringify(setup, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
      context.output.data({ file, deployment: setup.deployment.id, expiresAt: setup.enrolment.expiresAt }, () =>
        [
          `${file}, for one enrolment until ${setup.enrolment.expiresAt.slice(0, 10)} (${relative(setup.enrolment.expiresAt)}).`,
          'Give it to the customer by a road you trust: its token binds the agent that uses it first.',
        ].join('\n'),
      )
      context.output.next(`landfall agent init --setup ${setup.deployment.name}.setup.json    (at the customer)`)
    },
  })
}
