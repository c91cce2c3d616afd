import { appendFile, type FileHandle, mkdir, open, readFile, rename, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '@landfall/stack'
import { diskFull } from '../archive/disk-full.ts'
import type { BlobEntry } from '../bundle-statement.ts'
import { fileSize, hexOf, syncDirectory } from './fs.ts'

/** Blobs are made durable together: a sync for each of ten thousand small files would take minutes. */
const batchBlobs = 64
const batchBytes = 16 * 1024 * 1024

/**
 * Where a bundle's blobs lie until all of it is verified, with a journal of those that are. A line of the journal is written
 * after its blob is on the disk, so what the journal says can be believed after a kill or a loss of power.
 */
export class Staging {
  readonly dir: string
  readonly #verified = new Map<string, number>()
  #pending: { blob: BlobEntry; handle: FileHandle }[] = []
  #pendingBytes = 0

  constructor(dir: string) {
    this.dir = dir
  }

  /** Gets ready to write: reads the journal, drops a line of it that was cut off and a blob that was not finished. */
  async open(): Promise<void> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 })
    const { whole, cutOff } = await this.load()
    if (cutOff) await truncate(this.#journal, whole)
    await rm(this.#part, { force: true })
  }

  /** Reads the journal and changes nothing. */
  async load(): Promise<{ whole: number; cutOff: boolean }> {
    const journal = await readFile(this.#journal, 'latin1').catch(() => '')
    const whole = journal.lastIndexOf('\n') + 1
    for (const line of journal.slice(0, whole).split('\n')) {
      const match = /^([0-9a-f]{64}) (\d+)$/.exec(line)
      if (match?.[1]) this.#verified.set(match[1], Number(match[2]))
    }
    return { whole, cutOff: whole < journal.length }
  }

  /** Whether the journal has a blob as verified, here or moved on by a commit that was interrupted. */
  has(blob: BlobEntry): boolean {
    return this.#verified.get(hexOf(blob.digest)) === blob.size
  }

  /** Takes a blob as not verified after all: its file is gone, so the next run over it writes it again. */
  forget(blob: BlobEntry): void {
    this.#verified.delete(hexOf(blob.digest))
  }

  /** Blobs verified so far, and their bytes. */
  progress(): { blobs: number; bytes: number } {
    return { blobs: this.#verified.size, bytes: [...this.#verified.values()].reduce((total, size) => total + size, 0) }
  }

  path(digest: Digest): string {
    return join(this.dir, hexOf(digest))
  }

  /**
   * Writes a blob whose content throws at its end when it is not what it should be; then nothing of it stays.
   *
   * @param needed bytes that are still to come with this blob, for the message of `E_DISK_FULL`
   */
  async write(blob: BlobEntry, content: AsyncIterable<Uint8Array>, needed: number): Promise<void> {
    const handle = await open(this.#part, 'w').catch((cause: unknown) => {
      throw diskFull(cause, this.dir, { needed })
    })
    try {
      for await (const chunk of content) await handle.writeFile(chunk)
      await rename(this.#part, this.path(blob.digest))
    } catch (cause) {
      await handle.close()
      await rm(this.#part, { force: true })
      await this.flush().catch(() => undefined)
      throw diskFull(cause, this.dir, { needed })
    }
    this.#pending.push({ blob, handle })
    this.#pendingBytes += blob.size
    if (this.#pending.length >= batchBlobs || this.#pendingBytes >= batchBytes) {
      await this.flush().catch((cause: unknown) => {
        throw diskFull(cause, this.dir, { needed })
      })
    }
  }

  /** Makes what was written durable, then says so in the journal. */
  async flush(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    const results = await Promise.allSettled(
      pending.map(async ({ handle }) => {
        try {
          await handle.sync()
        } finally {
          await handle.close()
        }
      }),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    if (pending.length === 0) return
    await syncDirectory(this.dir)
    await appendFile(this.#journal, pending.map(({ blob }) => `${hexOf(blob.digest)} ${blob.size}\n`).join(''), {
      flush: true,
    })
    for (const { blob } of pending) this.#verified.set(hexOf(blob.digest), blob.size)
  }

  /** Closes what is open after a failure. What is not in the journal is written again next time. */
  async close(): Promise<void> {
    for (const { handle } of this.#pending.splice(0)) await handle.close().catch(() => undefined)
  }

  /** Moves every verified blob that is still here to where `to` says. Running it again goes on. */
  async moveTo(to: (digest: Digest) => string, onMoved?: () => void): Promise<void> {
    for (const [hex, size] of this.#verified) {
      if ((await fileSize(join(this.dir, hex))) !== size) continue
      await rename(join(this.dir, hex), to(`sha256:${hex}`))
      onMoved?.()
    }
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true })
  }

  get #journal(): string {
    return join(this.dir, 'journal')
  }

  get #part(): string {
    return join(this.dir, 'part')
  }
}
