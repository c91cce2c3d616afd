import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { LandfallError } from '@landfall/stack'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { template } from '../init/template.ts'
import { define } from './define.ts'

const packages = resolve(import.meta.dirname, '..', '..', '..')

export function initCommand(program: Command, world: World): void {
  define<{ name?: string }>(program, world, {
    name: 'init',
    summary: 'Make a new project: a stack, a worker, a rollout plan',
    examples: ['init acme-notes', 'init . --name acme-notes'],
    configure: (command) =>
      command
        .argument('<directory>', 'where; made if it is not there')
        .option('--name <name>', "the project's name (the directory's by default)"),
    async run(context, [directory = '.'], options) {
      const target = resolve(context.directory, directory)
      const project = options.name ?? basename(target)
      if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(project)) {
        throw new LandfallError({
          code: 'E_USAGE',
          message: `«${project}» can't be a project's name.`,
          hint: 'Give --name with lower-case letters, digits and dashes, starting with a letter, at most 40 characters.',
        })
      }
      const files = template(project, packages)
      const taken = Object.keys(files).filter((path) => existsSync(join(target, path)))
      if (taken.length > 0) {
        throw new LandfallError({
          code: 'E_INIT_EXISTS',
          message: `${target} has ${taken.join(', ')} already; nothing was written.`,
          hint: 'Choose an empty directory.',
        })
      }
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(target, path)), { recursive: true })
        await writeFile(join(target, path), content, { flag: 'wx' })
      }
      context.output.data(
        { project, directory: target, files: Object.keys(files) },
        (made) => `${made.project} is in ${made.directory}.`,
      )
      context.output.next(`cd ${directory} && landfall dev`)
    },
  })
}
