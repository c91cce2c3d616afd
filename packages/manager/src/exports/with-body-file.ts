import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LandfallError } from '@landfall/stack'

const named = /^landfall-export-(\d+)-([0-9a-f]{8})-/
/** Tells this process from one that had its id before: in a container each has the same. */
const token = randomBytes(4).toString('hex')

/**
 * Streams a body into a file of its own, readable by nobody else, and does `work` with it; the file is gone afterwards, and those that
 * killed managers left. What was sent is proved from the file before any of it is believed, so it is never in memory whole.
 *
 * @throws LandfallError `E_DISK_FULL`, and what the body and `work` throw
 */
export async function withBodyFile<T>(body: AsyncIterable<Uint8Array>, work: (file: string) => Promise<T>): Promise<T> {
  await sweep(tmpdir())
  const directory = await mkdtemp(join(tmpdir(), `landfall-export-${process.pid}-${token}-`))
  try {
    const file = join(directory, 'export')
    await write(body, file)
    return await work(file)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** A failure keeps nobody from importing. */
async function sweep(room: string): Promise<void> {
  for (const name of await readdir(room).catch(() => [])) {
    const [, pid, its] = named.exec(name) ?? []
    if (pid === undefined || (Number(pid) === process.pid ? its === token : lives(Number(pid)))) continue
    await rm(join(room, name), { recursive: true, force: true }).catch(() => {})
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
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
