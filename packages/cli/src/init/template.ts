import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const directory = join(import.meta.dirname, '..', '..', 'template')
/** npm leaves files called .gitignore out of packages, so it lies there under another name. */
const renamed: Readonly<Record<string, string>> = { gitignore: '.gitignore' }

/**
 * Files of a new project, by path: those of `template/`, with the project's name in place of `project-name`. A worker with
 * storage, a queue, a command and a canary: small enough to delete, whole enough to start from.
 *
 * @param packages where Landfall's packages are, for the project's dependencies
 */
export function template(project: string, packages: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => [
      renamed[path] ?? path,
      readFileSync(join(directory, path), 'utf8').replaceAll('project-name', project),
    ])
  return {
    'landfall.json': json({ project }),
    'package.json': json({
      name: project,
      private: true,
      type: 'module',
      dependencies: { '@landfall/runtime': `file:${packages}/runtime` },
      devDependencies: { '@landfall/stack': `file:${packages}/stack` },
    }),
    ...Object.fromEntries(files),
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
