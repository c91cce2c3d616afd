import { Validator } from '@cfworker/json-schema'
import { type CommandDefinition, LandfallError, type Manifest } from '@landfall/stack'

export interface FoundCommand {
  worker: string
  definition: CommandDefinition
}

/**
 * The command of a manifest, by name and, where several workers have one of that name, by worker.
 * @throws LandfallError `E_COMMAND_UNKNOWN`
 */
export function findDefinition(manifest: Manifest, command: string, worker?: string): FoundCommand {
  const found: FoundCommand[] = []
  const known: string[] = []
  for (const resource of manifest.resources) {
    if (resource.type !== 'worker' && resource.type !== 'container') continue
    for (const name of Object.keys(resource.commands)) known.push(`${resource.name}.${name}`)
    const definition = Object.hasOwn(resource.commands, command) ? resource.commands[command] : undefined
    if (definition && (worker === undefined || worker === resource.name))
      found.push({ worker: resource.name, definition })
  }
  const [one, second] = found
  if (one && !second) return one
  throw new LandfallError({
    code: 'E_COMMAND_UNKNOWN',
    message: second
      ? `Several workers have a command ${command}: ${found.map((each) => each.worker).join(', ')}.`
      : `The release that runs there has no command ${worker === undefined ? command : `${worker}.${command}`}.`,
    hint: second
      ? 'Name the worker.'
      : known.length > 0
        ? `It has: ${known.join(', ')}.`
        : 'It has no commands at all.',
  })
}

/**
 * Checks a command's input against its JSON Schema, before it is queued.
 * @throws LandfallError `E_COMMAND_INPUT` with every problem; values never appear, because they may be secrets
 */
export function checkInput(command: string, definition: CommandDefinition, input: unknown): void {
  // The validator writes into its schema, and the manifest is not ours to change.
  const { valid, errors } = new Validator(structuredClone(definition.input), '2020-12', false).validate(input)
  if (valid) return
  const problems = errors
    // An outer keyword only says that an inner one failed.
    .filter((error) => !['properties', 'items', '$ref', 'allOf'].includes(error.keyword))
    .slice(0, 20)
    .map((error) => ({
      path: `input${error.instanceLocation.replace(/^#/, '').replaceAll('/', '.')}`,
      message: `does not meet \`${error.keyword}\` of the command's schema`,
    }))
  throw new LandfallError({
    code: 'E_COMMAND_INPUT',
    message: `The input does not fit the command ${command}.`,
    hint: 'Compare it with the command’s schema: it is shown with the deployment.',
    problems,
  })
}
