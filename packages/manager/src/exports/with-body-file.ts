import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LandfallError } from '@landfall/stack'

/**
 * Streams a body into a file of its own, readable by nobody else, and does `work` with it; the file is gone afterwards. What was sent
 * is proved from the file before any of it is believed, so it is never in memory whole.
 *
 * @throws LandfallError `E_DISK_FULL`, and what the body and `work` throw
 */
export async function withBodyFile<T>(body: AsyncIterable<Uint8Array>, work: (file: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'landfall-export-'))
  try {
    const file = join(directory, 'export')
    await write(body, file)
    return await work(file)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function write(body: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    for await (const chunk of body) await handle.writeFile(chunk)
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'ENOSPC') throw cause
    throw new LandfallError({
      code: 'E_DISK_FULL',
      message: 'The manager has no room for the file while it is proved.',
      hint: 'Make room in the directory for temporary files (TMPDIR) of the manager, and send it again.',
      retryable: true,
      cause,
    })
  } finally {
    await handle.close()
  }
}
