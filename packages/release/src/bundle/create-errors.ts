import { LandfallError } from '@landfall/stack'

/** What was given for a new bundle does not fit together. */
export function unfit(why: string, hint: string): LandfallError {
  return new LandfallError({ code: 'E_BUNDLE_SOURCE', message: `The bundle can not be made: ${why}.`, hint })
}
