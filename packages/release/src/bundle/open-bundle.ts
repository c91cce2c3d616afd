import { LandfallError } from '@landfall/stack'
import { type ByteSource, openFileSource } from './archive/byte-source.ts'
import { bundleInvalid } from './bundle-statement.ts'
import { maxPartsIndexBytes, openParts } from './split-bundle.ts'

/**
 * Opens a bundle for reading: its file, or the index of its parts (which begins as JSON does, and a tar never here).
 * Throws `E_BUNDLE_NOT_FOUND`, `E_BUNDLE_PART`, `E_BUNDLE_INVALID`.
 */
export async function openBundle(input: string): Promise<ByteSource> {
  const source = await openFileSource(input).catch((cause: unknown) => {
    throw unreadable(input, cause)
  })
  const first = await source.read(0, 1).catch(async (cause: unknown) => {
    await source.close()
    throw unreadable(input, cause)
  })
  if (first.toString('latin1') !== '{') return source
  try {
    if (source.size > maxPartsIndexBytes) throw bundleInvalid('the index of its parts is too large')
    return await openParts(input, (await source.read(0, source.size)).toString('utf8'))
  } finally {
    await source.close()
  }
}

/** Absent, or a directory; any other error as it is. */
function unreadable(input: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'code' in cause) || (cause.code !== 'ENOENT' && cause.code !== 'EISDIR')) return cause
  return new LandfallError({
    code: 'E_BUNDLE_NOT_FOUND',
    message: `There is no bundle at ${input}.`,
    hint: 'Check the path. Of a split bundle, give the file that ends in .parts.json.',
  })
}
