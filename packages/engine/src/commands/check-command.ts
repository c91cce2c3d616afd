import type { CommandDefinition, Manifest } from '@landfall/stack'
import type { HeldCommand } from './command-port.ts'
import { checkInput, findDefinition } from './find-definition.ts'

/**
 * Checks a command against the releases that may answer it: what rests there, and what is being rolled out beside it. One that
 * takes it is enough, because the router decides which of them is asked; the worker checks once more for itself. Answers the
 * definition that fits.
 *
 * @throws LandfallError `E_COMMAND_UNKNOWN`, `E_COMMAND_INPUT`: of the first release, and no value of the input is in it
 */
export function checkCommand(
  manifests: readonly Manifest[],
  call: Pick<HeldCommand, 'command' | 'worker' | 'input'>,
): CommandDefinition {
  let refusal: unknown
  for (const manifest of manifests) {
    try {
      const { definition } = findDefinition(manifest, call.command, call.worker)
      checkInput(call.command, definition, call.input)
      return definition
    } catch (error) {
      refusal ??= error
    }
  }
  throw refusal ?? new RangeError('no release was given to check a command against')
}
