import { digestOf, LandfallError, type Manifest, type Problem, refusedEnvironmentName } from '@landfall/stack'
import type { Settable } from './statement.ts'

/**
 * What the manifest lets be given from outside: variables fed by inputs or secrets, and commands. Throws
 * `E_ENVIRONMENT_REFUSED` when a variable of the manifest could load code or is the platform's own.
 */
export function settableOf(manifest: Manifest): Settable {
  const environment = new Set<string>()
  const commands: Settable['commands'] = []
  const problems: Problem[] = []
  for (const resource of manifest.resources) {
    if (resource.type !== 'worker' && resource.type !== 'container') continue
    for (const [name, value] of Object.entries(resource.env)) {
      const why = refusedEnvironmentName(name)
      if (why) problems.push({ path: `resources.${resource.name}.env.${name}`, message: why })
      if (typeof value !== 'string') environment.add(name)
    }
    for (const [command, definition] of Object.entries(resource.commands)) {
      commands.push({ resource: resource.name, command, digest: digestOf(definition) })
    }
  }
  if (problems[0]) {
    throw new LandfallError({
      code: 'E_ENVIRONMENT_REFUSED',
      message: `${problems[0].path} ${problems[0].message}.`,
      hint: 'Use another name in the stack.',
      problems,
    })
  }
  const key = (entry: { resource: string; command: string }) => `${entry.resource}/${entry.command}`
  return {
    environment: [...environment].sort(),
    commands: commands.sort((a, b) => (key(a) < key(b) ? -1 : 1)),
  }
}
