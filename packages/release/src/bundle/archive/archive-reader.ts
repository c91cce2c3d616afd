import { createHash } from 'node:crypto'
import type { Digest } from '@landfall/stack'
import { type ArchiveKind, overLimit, refusedEntry, truncated, wrongContent } from './archive-errors.ts'
import type { ByteSource } from './byte-source.ts'
import { declaredSize, tarBlock, tarHeader, tarPadding, whyRefused } from './tar-header.ts'

/** How much is held in memory of content that is passed on. */
const chunkBytes = 1024 * 1024

/**
 * Reads an archive whose entries the caller knows beforehand, in order. Every byte counts: headers must be exactly those that
 * we write, padding and end must be zeros, and nothing may follow. So there is no path, link or size to be fooled by.
 */
export class ArchiveReader {
  readonly #source: ByteSource
  readonly #what: ArchiveKind
  readonly #seen = new Set<string>()
  #position = 0

  constructor(source: ByteSource, what: ArchiveKind) {
    this.#source = source
    this.#what = what
  }

  /** Bytes read or passed over so far. */
  get position(): number {
    return this.#position
  }

  /**
   * Reads the header of the next entry and gives its size.
   *
   * @param allowed the exact size, or the most that it may be where it is not known yet
   * @throws LandfallError `E_ARCHIVE_TRUNCATED`, `E_ARCHIVE_ENTRY`, `E_ARCHIVE_LIMIT`
   */
  async open(name: string, allowed: { size: number } | { max: number }): Promise<number> {
    const header = await this.#exactly(tarBlock)
    if (header.every((byte) => byte === 0)) throw truncated(this.#what)
    const size = 'size' in allowed ? allowed.size : declaredSize(header)
    if (size === null || !header.equals(tarHeader(name, size))) {
      throw refusedEntry(this.#what, whyRefused(header, name, this.#seen))
    }
    if ('max' in allowed && size > allowed.max)
      throw overLimit(this.#what, `${name} is larger than ${allowed.max} bytes`)
    this.#seen.add(name)
    return size
  }

  /** The content of the opened entry in chunks, then its padding. Consume it to the end before the next `open`. */
  async *content(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      const chunk = await this.#exactly(Math.min(left, chunkBytes))
      left -= chunk.length
      yield chunk
    }
    await this.#zeros(tarPadding(size))
  }

  /** As `content`, and `E_ARCHIVE_DIGEST` at the end when it is not what `digest` names. Act on it only after the end. */
  async *verified(size: number, digest: Digest, name: string): AsyncGenerator<Buffer> {
    const hash = createHash('sha256')
    for await (const chunk of this.content(size)) {
      hash.update(chunk)
      yield chunk
    }
    if (`sha256:${hash.digest('hex')}` !== digest) throw wrongContent(this.#what, name)
  }

  /** The opened entry's content whole: for what is known to be small. */
  async bytes(size: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const chunk of this.content(size)) parts.push(chunk)
    return Buffer.concat(parts)
  }

  /** Passes over the opened entry's content without reading it. */
  async skip(size: number): Promise<void> {
    this.#position += size
    await this.#zeros(tarPadding(size))
  }

  /** Two blocks of zeros, and then nothing. */
  async end(): Promise<void> {
    const block = await this.#exactly(tarBlock)
    if (block.some((byte) => byte !== 0)) {
      throw refusedEntry(this.#what, whyRefused(block, 'the end', this.#seen))
    }
    await this.#zeros(tarBlock)
    if (this.#position !== this.#source.size) throw refusedEntry(this.#what, 'something follows after its end')
  }

  async #zeros(length: number): Promise<void> {
    if ((await this.#exactly(length)).some((byte) => byte !== 0)) {
      throw refusedEntry(this.#what, 'there is something where only padding belongs')
    }
  }

  async #exactly(length: number): Promise<Buffer> {
    const bytes = await this.#source.read(this.#position, length)
    if (bytes.length < length) throw truncated(this.#what)
    this.#position += length
    return bytes
  }
}
