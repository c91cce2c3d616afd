import type { Digest } from '@landfall/stack'
import type { Keyset } from '../keyset/keyset.ts'
import type { PinnedRoot } from '../keyset/root-rotation.ts'
import type { BundleStatement } from './bundle-statement.ts'
import { type BundleContents, type ContentOptions, contentCheck } from './check-contents.ts'
import type { NonceStore } from './command.ts'
import { openBundle } from './open-bundle.ts'
import { walkBundle } from './walk-bundle.ts'

export interface VerifiedBundle extends BundleContents {
  /** Digest of the signed description. */
  id: Digest
  statement: BundleStatement
  keyset: Keyset
  /** The root to pin from now on. */
  root: PinnedRoot
}

/**
 * Proves a whole bundle, its file or its parts, and writes nothing: every byte, every digest, every signature. What it
 * leaves out as a delta can only be checked where it is imported.
 *
 * @param input the file, or the index of its parts
 * @param options.nonces without it no nonce counts as used
 * @throws LandfallError a code of its own for every reason: see the README
 */
export async function verifyBundle(
  input: string,
  options: Omit<ContentOptions, 'nonces'> & { nonces?: NonceStore },
): Promise<VerifiedBundle> {
  const content = { nonces: { seen: async () => false }, ...options }
  const source = await openBundle(input)
  try {
    let check: ReturnType<typeof contentCheck> | undefined
    const trusted = await walkBundle(source, content, {
      async begin(proved) {
        check = contentCheck(proved, content)
        return true
      },
      async blob({ digest }, chunks) {
        const parts: Uint8Array[] = []
        const wanted = check?.documents.has(digest)
        for await (const chunk of chunks) if (wanted) parts.push(chunk)
        if (wanted) await check?.take(digest, Buffer.concat(parts))
      },
    })
    const { id, statement, keyset, root } = trusted
    return { id, statement, keyset, root, ...(check ?? contentCheck(trusted, content)).contents() }
  } finally {
    await source.close()
  }
}
