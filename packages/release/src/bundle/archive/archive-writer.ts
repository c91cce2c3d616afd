import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import type { Digest } from '@landfall/stack'
import { verifyBlob } from '../../blob/read-blob.ts'
import { diskFull } from './disk-full.ts'
import { tarBlock, tarHeader, tarPadding } from './tar-header.ts'

export interface ArchiveEntry {
  name: string
  /** Bytes. */
  size: number
  digest: Digest
  /** Opened when its turn comes, and checked against `digest` while it is written. */
  content: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Promise<AsyncIterable<Uint8Array> | Uint8Array>
}

/**
 * Writes entries as a tar in the order given. The file appears whole or not at all; never more than a chunk of it is in memory.
 *
 * @returns its size in bytes
 * @throws LandfallError `E_ARTIFACT_DIGEST` when content is not what its digest names, `E_DISK_FULL`
 */
export async function writeArchive(file: string, entries: Iterable<ArchiveEntry>): Promise<number> {
  const temporary = `${file}.writing`
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', 0o644)
  try {
    let size = 0
    for (const entry of entries) size += await writeEntry(handle, entry)
    await write(handle, new Uint8Array(2 * tarBlock))
    await handle.sync()
    await handle.close()
    await rename(temporary, file)
    return size + 2 * tarBlock
  } catch (cause) {
    await handle.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw diskFull(cause, file)
  }
}

async function writeEntry(handle: FileHandle, entry: ArchiveEntry): Promise<number> {
  await write(handle, tarHeader(entry.name, entry.size))
  const content = await entry.content()
  const chunks = content instanceof Uint8Array ? [content] : content
  for await (const chunk of verifyBlob(chunks, { digest: entry.digest, size: entry.size })) await write(handle, chunk)
  const padding = tarPadding(entry.size)
  await write(handle, new Uint8Array(padding))
  return tarBlock + entry.size + padding
}

/** `FileHandle.write` may write less than it is given. */
async function write(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten
}
