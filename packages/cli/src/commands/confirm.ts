import { confirm as ask, isCancel } from '@clack/prompts'
import { LandfallError } from '@landfall/stack'
import type { Context } from '../context/context.ts'
import { Exit, exitCodes } from '../exit-codes.ts'

/** Says what will happen and asks; without a TTY, `--yes` must have been given. */
export async function confirm(
  context: Context,
  consequence: string,
  verb: string,
  yes: boolean | undefined,
): Promise<void> {
  if (yes) return
  if (!context.output.interactive) {
    throw new LandfallError({
      code: 'E_USAGE',
      message: `${consequence} Nothing was done, because nobody could be asked.`,
      hint: 'Give --yes to do it without being asked.',
    })
  }
  context.output.say(consequence)
  const answer = await ask({ message: `${verb}?`, initialValue: false })
  if (isCancel(answer) || !answer) throw new Exit(exitCodes.failed)
}
