import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { createKeys } from '../keys/key-store.ts'
import { define, family } from './define.ts'

export function projectCommands(program: Command, world: World): void {
  const projects = family(program, 'projects', 'Products of the vendor')
  define(projects, world, {
    name: 'ls',
    summary: 'Projects you can see',
    examples: ['projects ls'],
    async run(context) {
      const result = await context.client().listProjects({})
      context.output.data(result, ({ items }) =>
        items.length === 0
          ? 'No project yet. Make one with `landfall projects create NAME`.'
          : context.output.table(items, [
              { title: 'project', value: (item) => item.name },
              { title: 'deployments', value: (item) => String(item.deployments), align: 'right' },
              { title: 'your role', value: (item) => item.role ?? '–' },
            ]),
      )
    },
  })
  define(projects, world, {
    name: 'create',
    summary: 'Create a project: makes its keys on this machine and pins the root key at the manager',
    examples: ['projects create acme-invoices'],
    configure: (command) => command.argument('[name]', 'name (from landfall.json by default)'),
    async run(context, [given]) {
      const name = given ?? context.project()
      const known = await context.client().listProjects({})
      if (known.items.some((item) => item.name === name)) {
        throw new LandfallError({
          code: 'E_PROJECT_EXISTS',
          message: `${name} is a project already.`,
          hint: 'Choose another name, or use this one.',
        })
      }
      const keys = await createKeys(context.environment, name, Date.now())
      const project = await context
        .client()
        .createProject({ body: { name, rootPublicKey: keys.rootPublicKey, keyset: keys.keyset } })
      context.output.data(
        { ...project, keys: keys.directory },
        (item) => `${item.name} is there. Its keys are in ${item.keys}; move root.pem to a safe place.`,
      )
      context.output.next('landfall release --version 1.0.0')
    },
  })
}
