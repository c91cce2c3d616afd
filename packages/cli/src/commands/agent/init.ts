import { resolve } from 'node:path'
import type { AgentSetup } from '@landfall/contract'
import type { Command } from 'commander'
import type { World } from '../../context/context.ts'
import { define } from '../define.ts'
import { dataOf } from './connect.ts'

export function agentInit(parent: Command, world: World): void {
  define<{ setup: string; data?: string; keyFile?: string }>(parent, world, {
    name: 'init',
    summary: 'Make an agent’s directory from the vendor’s setup, and show what it asks for',
    examples: [
      'agent init --setup initech.setup.json --data /var/lib/landfall-agent',
      'agent init --setup initech.setup.json --data /var/lib/landfall-agent --key-file /etc/landfall/agent.key',
    ],
    configure: (command) =>
      command
        .requiredOption('--setup <file>', 'what the vendor made for this deployment')
        .option('--data <dir>', "the agent's directory (LANDFALL_AGENT_DATA, .landfall/agent)")
        .option(
          '--key-file <file>',
          'key of its state, 64 hex digits; made where there is none (beside the directory)',
        ),
    async run(context, _args, options) {
      const { initAgent, keyFileBeside, readSetup } = await import('@landfall/agent')
      const { publicKeyFrom, fingerprintOf } = await import('@landfall/release')
      const setup = await readSetup(resolve(context.directory, options.setup))
      const directory = dataOf(context, options)
      const keyFile = resolve(context.directory, options.keyFile ?? keyFileBeside(directory))
      const root = fingerprintOf(publicKeyFrom(setup.root.publicKey).publicKey)
      const made = initAgent({ setup, directory, keyFile })
      const { enrolment: _, ...shown } = setup
      context.output.data({ ...made, root, setup: shown }, () =>
        [
          ...describeSetup(setup, root),
          '',
          `The agent’s directory is ${made.directory}; its own key has the fingerprint ${made.fingerprint}.`,
          `${made.keyMade ? 'The key of its state was made at' : 'The key of its state is at'} ${made.keyFile}: keep a copy elsewhere. Without it the state is lost; nobody else has it.`,
        ].join('\n'),
      )
      context.output.next(`landfall agent run --data ${made.directory}`)
    },
  })
}

/** What a customer reads before anything runs. */
function describeSetup({ deployment, sync, customer, policy }: AgentSetup, root: string): string[] {
  const windows = customer.windows.map(
    (window) => `${window.rrule} from ${window.start}, ${window.duration}, ${window.timeZone}`,
  )
  return [
    `${deployment.project} asks to run as ${deployment.name} (${deployment.id}) on ${deployment.platform}`,
    `  model        ${deployment.model}${sync ? `: asks ${sync.url}` : ': no network, bundles bring everything'}`,
    `  root key     ${root}  (compare it with what the vendor says by another road)`,
    `  trusts       releases signed by a key of kind ${policy.trustedKeys.join(' or ')}`,
    `  updates      ${customer.updates}${customer.updates === 'approval' ? `, approved in the ${customer.approvals}` : ''}`,
    `  windows      ${windows.join('; ') || 'none: at any time'}; when one closes midway: ${policy.windowClose}`,
    `  telemetry    ${customer.telemetry}`,
    `  drift        ${policy.drift}`,
  ]
}
