import { LandfallError } from '@landfall/stack'

export const broken = (why: string) =>
  new LandfallError({
    code: 'E_BACKUP_INVALID',
    message: `The backup is refused: ${why}.`,
    hint: 'The secret is another one than the backup was made with, or the file was cut off or changed. Nothing was written; take another copy.',
  })

export const notEmpty = (what: string) =>
  new LandfallError({
    code: 'E_RESTORE_NOT_EMPTY',
    message: `A backup is restored into an empty place only: ${what}.`,
    hint: 'Name a new directory or an empty database. A restore that was ended halfway leaves an empty database, or a whole one.',
  })

export const unusable = (message: string, hint: string) => new LandfallError({ code: 'E_BACKUP_FILE', message, hint })
