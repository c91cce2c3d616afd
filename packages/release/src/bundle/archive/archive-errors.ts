import { LandfallError } from '@landfall/stack'

/** What is read: the word that stands in messages. */
export type ArchiveKind = 'bundle' | 'export'

export function truncated(what: ArchiveKind): LandfallError {
  return new LandfallError({
    code: 'E_ARCHIVE_TRUNCATED',
    message: `The ${what} ends too early: a part of it is missing.`,
    hint: 'It was probably not copied to its end. Copy it again and compare the sizes.',
  })
}

/** An entry that has no place in the archive: link, device, path that leads out, twice, another size, too many. */
export function refusedEntry(what: ArchiveKind, why: string): LandfallError {
  return new LandfallError({
    code: 'E_ARCHIVE_ENTRY',
    message: `The ${what} is refused: ${why}.`,
    hint: 'Nothing of it was applied. It was damaged or changed on the way: get it again from where it was made.',
  })
}

export function overLimit(what: ArchiveKind, why: string): LandfallError {
  return new LandfallError({
    code: 'E_ARCHIVE_LIMIT',
    message: `The ${what} is refused: ${why}.`,
    hint: 'If it is meant to be this large, raise the limit of the import; otherwise do not trust it.',
  })
}

export function wrongContent(what: ArchiveKind, name: string): LandfallError {
  return new LandfallError({
    code: 'E_ARCHIVE_DIGEST',
    message: `The ${what} is damaged: the content of ${name} is not what was signed.`,
    hint: 'Nothing of it was applied. Copy it again from where it was made; what was good so far is kept.',
  })
}
