import { open, rename, rm } from 'node:fs/promises'
import { type Digest, LandfallError } from '@landfall/stack'
import { diskFull } from './archive/disk-full.ts'
import type { BundleStatement } from './bundle-statement.ts'
import type { TrustOptions } from './check-trust.ts'
import { openBundle } from './open-bundle.ts'
import { walkBundle } from './walk-bundle.ts'

/**
 * Proves a bundle to its last byte and writes one attachment to a file, which appears whole or not at all, and only then.
 *
 * @throws LandfallError `E_NOT_FOUND` when there is no such attachment, `E_DISK_FULL`, and what proving the bundle throws
 */
export async function extractAttachment(
  input: string,
  options: TrustOptions & { name: string; out: string },
): Promise<{ digest: Digest; size: number }> {
  const { name, out } = options
  const temporary = `${out}.writing`
  const source = await openBundle(input)
  let wanted: Digest | undefined
  let size = 0
  try {
    const { statement } = await walkBundle(source, options, {
      async begin(trusted) {
        wanted = digestOfAttachment(trusted.statement, name)
        return true
      },
      async blob({ digest }, content) {
        const handle = digest === wanted ? await open(temporary, 'w') : null
        try {
          for await (const chunk of content) {
            if (!handle) continue
            await handle.writeFile(chunk)
            size += chunk.length
          }
          await handle?.sync()
        } finally {
          await handle?.close()
        }
      },
    })
    await rename(temporary, out)
    return { digest: digestOfAttachment(statement, name), size }
  } catch (cause) {
    await rm(temporary, { force: true })
    throw diskFull(cause, out)
  } finally {
    await source.close()
  }
}

function digestOfAttachment({ attachments }: BundleStatement, name: string): Digest {
  const found = attachments.find((attachment) => attachment.name === name)
  if (found) return found.digest
  const names = attachments.map((attachment) => attachment.name).join(', ')
  throw new LandfallError({
    code: 'E_NOT_FOUND',
    message: `The bundle has no attachment ${name}.`,
    hint: names ? `It has ${names}.` : 'It has none.',
  })
}
