import { LandfallError } from '@landfall/stack'

/**
 * `E_DISK_FULL` for an error that says so (no space, or over the quota); any other error as it is.
 *
 * @param resume bytes that are still to be written, where the same call goes on from what is there
 */
export function diskFull(cause: unknown, where: string, resume?: { needed: number }): unknown {
  if (!(cause instanceof Error) || !('code' in cause) || (cause.code !== 'ENOSPC' && cause.code !== 'EDQUOT')) {
    return cause
  }
  return new LandfallError({
    code: 'E_DISK_FULL',
    message: resume
      ? `The disk is full at ${where}: about ${Math.ceil(resume.needed / 1024 / 1024)} MiB more are needed.`
      : `The disk is full at ${where}.`,
    hint: resume
      ? 'Make room and run the same again: what was written and verified is kept, and it goes on from there.'
      : 'Make room and run the same again. Nothing was left behind.',
    cause,
  })
}
