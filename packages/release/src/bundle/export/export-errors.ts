import { LandfallError, type Problem } from '@landfall/stack'

export function exportRefused(
  code: string,
  message: string,
  more: { hint: string; problems?: readonly Problem[] },
): LandfallError {
  return new LandfallError({ code, message, ...more })
}

export function exportInvalid(why: string, problems: readonly Problem[] = []): LandfallError {
  return exportRefused('E_EXPORT_INVALID', `The export is not valid: ${why}.`, {
    hint: 'Check that this is a file that `landfall agent export` made, and get it again from the site.',
    problems,
  })
}
