import { open } from 'node:fs/promises'

/** Bytes that can be read at any place: one file, or its parts as if they were one. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number
  /** At most `length` bytes from `position` on; fewer only at the end. */
  read(position: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

/** A file as a source. Errors of the file system pass through. */
export async function openFileSource(file: string): Promise<ByteSource> {
  const handle = await open(file, 'r')
  const { size } = await handle.stat()
  return {
    size,
    async read(position, length) {
      const buffer = Buffer.allocUnsafe(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return buffer.subarray(0, filled)
    },
    close: () => handle.close(),
  }
}

/** Several sources one after the other. Closing it closes them. */
export function concatenateSources(sources: readonly ByteSource[]): ByteSource {
  return {
    size: sources.reduce((total, source) => total + source.size, 0),
    async read(position, length) {
      const pieces: Buffer[] = []
      let start = 0
      let wanted = length
      for (const source of sources) {
        const at = position + (length - wanted) - start
        if (wanted > 0 && at >= 0 && at < source.size) {
          const piece = await source.read(at, Math.min(wanted, source.size - at))
          pieces.push(piece)
          wanted -= piece.length
        }
        start += source.size
      }
      return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
    },
    async close() {
      for (const source of sources) await source.close()
    },
  }
}
