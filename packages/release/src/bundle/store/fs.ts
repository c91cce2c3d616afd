import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Digest } from '@landfall/stack'

/** Makes renames and new names in a directory survive a loss of power. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The size of a plain file, or null where there is none. */
export async function fileSize(file: string): Promise<number | null> {
  const info = await stat(file).catch(() => null)
  return info?.isFile() ? info.size : null
}

/** Whether a file has this size and this digest. */
export async function fileIs(file: string, expected: { digest: Digest; size: number }): Promise<boolean> {
  if ((await fileSize(file)) !== expected.size) return false
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk)
  return `sha256:${hash.digest('hex')}` === expected.digest
}

export const hexOf = (digest: Digest): string => digest.slice('sha256:'.length)
