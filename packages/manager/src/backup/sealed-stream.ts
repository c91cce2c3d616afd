import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { z } from 'zod'
import { type BackupSecret, fileKey, kdf, newKdf } from './backup-key.ts'
import { broken } from './refusals.ts'

const magic = Buffer.from('landfall-backup\n')
const head = z.strictObject({ version: z.literal(1), cipher: z.literal('aes-256-gcm-stream'), chunk: z.int(), kdf })
const chunkBytes = 65_536
const tagBytes = 16
const headLimit = 4_096

type Bytes = AsyncIterable<Uint8Array>

/**
 * Seals a stream in chunks of 64 KiB by AES-256-GCM, each under its number and whether it is the last: the STREAM construction of
 * Hoang, Reyhanitabar, Rogaway and Vizár (2015), as `age` uses it. The head is bound to every chunk. What comes out in front of the
 * end can be trusted as far as it goes; that nothing is missing is known with the last chunk only.
 */
export async function* seal(plain: Bytes, secret: BackupSecret): AsyncGenerator<Buffer> {
  const text = Buffer.from(
    JSON.stringify({ version: 1, cipher: 'aes-256-gcm-stream', chunk: chunkBytes, kdf: newKdf(secret) }),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const opening = Buffer.concat([magic, length, text])
  const chunks = new Chunks(await fileKey(secret, head.parse(JSON.parse(text.toString())).kdf), opening)
  yield opening
  for await (const { bytes, last } of pieces(plain, chunkBytes)) yield chunks.seal(bytes, last)
}

/** @throws LandfallError `E_BACKUP_INVALID`, `E_BACKUP_KEY`; whoever reads must read to the end before anything counts */
export async function* open(sealed: Bytes, secret: BackupSecret): AsyncGenerator<Buffer> {
  const reader = new Reader(sealed)
  const start = await reader.exactly(magic.length + 4, 'it is no backup of Landfall')
  if (!start.subarray(0, magic.length).equals(magic)) throw broken('it is no backup of Landfall')
  const length = start.readUInt32BE(magic.length)
  if (length > headLimit) throw broken('its head is too long')
  const text = await reader.exactly(length, 'its head is cut off')
  const parsed = head.safeParse(jsonOf(text))
  if (!parsed.success) throw broken('its head is not one that this version knows')
  if (parsed.data.chunk !== chunkBytes) throw broken('its chunks are not of the size that this version knows')
  const chunks = new Chunks(await fileKey(secret, parsed.data.kdf), Buffer.concat([start, text]))
  let ended = false
  for await (const { bytes, last } of pieces(reader.rest(), chunkBytes + tagBytes)) {
    yield chunks.open(bytes, last)
    ended = last
  }
  if (!ended) throw broken('it is cut off')
}

class Chunks {
  readonly #key: Buffer
  readonly #bound: Buffer
  #number = 0

  constructor(key: Buffer, opening: Buffer) {
    this.#key = key
    this.#bound = createHash('sha256').update(opening).digest()
  }

  seal(bytes: Buffer, last: boolean): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonce(last)).setAAD(this.#bound)
    return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  }

  open(sealed: Buffer, last: boolean): Buffer {
    if (sealed.length < tagBytes) throw broken('it is cut off')
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nonce(last), { authTagLength: tagBytes })
    decipher.setAAD(this.#bound).setAuthTag(sealed.subarray(-tagBytes))
    const plain = decipher.update(sealed.subarray(0, -tagBytes))
    try {
      decipher.final()
    } catch {
      throw broken(`its chunk ${this.#number - 1} does not open`)
    }
    return plain
  }

  /** The key is this file's alone, so a counter never comes twice. */
  #nonce(last: boolean): Buffer {
    const nonce = Buffer.alloc(12)
    nonce.writeUIntBE(this.#number, 5, 6)
    nonce[11] = last ? 1 : 0
    this.#number += 1
    return nonce
  }
}

/** Pieces of exactly `size`, the last one shorter or as long, and never absent: an empty stream is one empty piece. */
async function* pieces(stream: Bytes, size: number): AsyncGenerator<{ bytes: Buffer; last: boolean }> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const bytes of stream) {
    held.push(bytes)
    length += bytes.byteLength
    // Kept back until more has come: only then is a piece known not to be the last.
    if (length <= size) continue
    const all = Buffer.concat(held)
    let from = 0
    for (; length - from > size; from += size) yield { bytes: all.subarray(from, from + size), last: false }
    held = [all.subarray(from)]
    length -= from
  }
  yield { bytes: Buffer.concat(held), last: true }
}

class Reader {
  readonly #source: AsyncIterator<Uint8Array>
  #left: Buffer = Buffer.alloc(0)

  constructor(source: Bytes) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async exactly(size: number, otherwise: string): Promise<Buffer> {
    while (this.#left.length < size) {
      const { value, done } = await this.#source.next()
      if (done) throw broken(otherwise)
      this.#left = Buffer.concat([this.#left, value])
    }
    const taken = this.#left.subarray(0, size)
    this.#left = this.#left.subarray(size)
    return taken
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    if (this.#left.length > 0) yield this.#left
    try {
      for (;;) {
        const { value, done } = await this.#source.next()
        if (done) return
        yield value
      }
    } finally {
      await this.#source.return?.()
    }
  }
}

function jsonOf(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString())
  } catch {
    return null
  }
}
