import { broken } from './refusals.ts'

/**
 * What is inside of the seal: records of a type (a letter), a length (4 bytes, big-endian) and a content.
 * `H` head (JSON) · `T` a table begins (JSON) · `D` its rows as COPY writes them, in pieces · `E` the table ends (JSON) ·
 * `F` a file (JSON) · `M` the manifest over everything before it (JSON), the last record.
 */
export type RecordType = 'H' | 'T' | 'D' | 'E' | 'F' | 'M'

const limit = 64 * 1_048_576
const largestPiece = 1_048_576

export function record(type: RecordType, content: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(content))
  return Buffer.concat([headOf(type, bytes.length), bytes])
}

export function* dataRecords(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += largestPiece) {
    const piece = bytes.subarray(from, from + largestPiece)
    yield headOf('D', piece.length)
    yield piece
  }
}

function headOf(type: RecordType, length: number): Buffer {
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeUInt32BE(length, 1)
  return head
}

export async function* readRecords(
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ type: RecordType; content: Buffer }> {
  let held: Buffer[] = []
  let length = 0
  let wanted = 5
  for await (const bytes of plain) {
    held.push(Buffer.from(bytes))
    length += bytes.byteLength
    if (length < wanted) continue
    let all = Buffer.concat(held)
    for (;;) {
      wanted = 5
      if (all.length < 5) break
      wanted = 5 + all.readUInt32BE(1)
      if (wanted > limit) throw broken('a record in it is too large')
      if (all.length < wanted) break
      yield { type: all.toString('latin1', 0, 1) as RecordType, content: all.subarray(5, wanted) }
      all = all.subarray(wanted)
    }
    held = [all]
    length = all.length
  }
  if (length > 0) throw broken('its last record is cut off')
}
