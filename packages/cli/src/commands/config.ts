import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { define, family } from './define.ts'
import { keyValues } from './key-values.ts'

const collect = (value: string, all: string[]) => [...all, value]

export function configCommands(program: Command, world: World): void {
  const config = family(program, 'config', 'Inputs and secrets of a deployment')
  define(config, world, {
    name: 'show',
    summary: 'Inputs, and versions of secrets, with who set them when',
    examples: ['config show acme'],
    configure: (command) => command.argument('<deployment>', 'name or id'),
    async run(context, [deployment = '']) {
      const result = await context.client().getConfig({ params: { project: context.project(), deployment } })
      context.output.data(
        result,
        ({ inputs, secrets }) =>
          [
            ...inputs.map(
              (input) => `${input.name} = ${input.value ?? '(not set)'}${input.default ? ' (default)' : ''}`,
            ),
            ...secrets.map(
              (secret) =>
                `${secret.name} = •••• version ${secret.version}, set ${relative(secret.setAt)} by ${secret.setBy ?? secret.providedBy}`,
            ),
          ].join('\n') || 'Nothing to configure.',
      )
    },
  })
  define<{ input: string[]; secret: string[] }>(config, world, {
    name: 'set',
    summary: 'Change inputs and secrets; the deployment goes to a new target with them',
    examples: ['config set acme --input region=us', 'config set acme --secret stripe-key=@./stripe.key'],
    configure: (command) =>
      command
        .argument('<deployment>', 'name or id')
        .option('--input <key=value>', 'an input', collect, [])
        .option('--secret <name=value>', 'a secret, or @FILE', collect, []),
    async run(context, [deployment = ''], options) {
      const result = await context.client().putConfig({
        params: { project: context.project(), deployment },
        body: {
          inputs: keyValues(options.input, context.directory),
          secrets: keyValues(options.secret, context.directory),
        },
      })
      context.output.data(result, ({ digest }) => `Config ${digest.slice(0, 19)} is on its way.`)
    },
  })
}
