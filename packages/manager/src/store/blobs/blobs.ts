import { createHash } from 'node:crypto'
import type { BlobSource } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import { notFound } from '../../http/refusals.ts'
import type { Database } from '../database.ts'
import { newId } from '../new-id.ts'

export const chunkBytes = 1_048_576

/**
 * Stores content under its digest, chunk by chunk, and proves the digest at the end. Until then it is an upload that nobody
 * sees. Content that is here already is read to its end and dropped.
 *
 * @returns size in bytes
 * @throws LandfallError `E_BLOB_DIGEST`; whatever reading `content` throws. Nothing is left behind then.
 */
export async function putBlob(
  db: Database,
  blob: { project: string; digest: string; content: AsyncIterable<Uint8Array>; at: number },
): Promise<number> {
  const upload = newId('upl')
  const at = new Date(blob.at)
  await db.insertInto('blob_uploads').values({ id: upload, started_at: at }).execute()
  try {
    const hash = createHash('sha256')
    let size = 0
    let number = 0
    for await (const bytes of chunked(blob.content)) {
      hash.update(bytes)
      size += bytes.byteLength
      await db.insertInto('blob_chunks').values({ upload, number, bytes }).execute()
      number += 1
    }
    const digest = `sha256:${hash.digest('hex')}`
    if (digest !== blob.digest) {
      throw new LandfallError({
        code: 'E_BLOB_DIGEST',
        message: `What was sent has the digest ${digest}, not ${blob.digest}.`,
        hint: 'It was changed on the way, or is another file. Nothing was kept; send it again.',
      })
    }
    const made = await db
      .insertInto('blobs')
      .values({ project: blob.project, digest, size, upload, created_at: at })
      .onConflict((conflict) => conflict.doNothing())
      .returning('digest')
      .executeTakeFirst()
    if (!made) await dropUpload(db, upload)
    return size
  } catch (error) {
    await dropUpload(db, upload)
    throw error
  }
}

function dropUpload(db: Database, upload: string) {
  return db.deleteFrom('blob_uploads').where('id', '=', upload).execute()
}

/** Uploads that were broken off by the death of a manager, a day old. Answers how many went. */
export async function dropAbandonedUploads(db: Database, now: number): Promise<number> {
  const result = await db
    .deleteFrom('blob_uploads')
    .where('started_at', '<', new Date(now - 86_400_000))
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('blobs').select('digest').whereRef('blobs.upload', '=', 'blob_uploads.id'))),
    )
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** Pieces of exactly one chunk, the last one shorter. */
async function* chunked(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = []
  let size = 0
  for await (const bytes of content) {
    held.push(bytes)
    size += bytes.byteLength
    if (size < chunkBytes) continue
    const all = Buffer.concat(held)
    let from = 0
    for (; size - from >= chunkBytes; from += chunkBytes) yield all.subarray(from, from + chunkBytes)
    held = [all.subarray(from)]
    size -= from
  }
  if (size > 0) yield Buffer.concat(held)
}

/** Which of these digests are not here. */
export async function missingBlobs(db: Pick<Database, 'selectFrom'>, project: string, digests: readonly string[]) {
  if (digests.length === 0) return []
  const here = await db
    .selectFrom('blobs')
    .select('digest')
    .where('project', '=', project)
    .where('digest', 'in', [...digests])
    .execute()
  const known = new Set(here.map((row) => row.digest))
  return [...new Set(digests)].filter((digest) => !known.has(digest))
}

/** A blob's size and its chunks in order, read as they are asked for. @throws LandfallError `E_NOT_FOUND` */
export async function readBlob(db: Database, project: string, digest: string) {
  const row = await db
    .selectFrom('blobs')
    .select(['upload', 'size'])
    .where('project', '=', project)
    .where('digest', '=', digest)
    .executeTakeFirst()
  if (!row) throw notFound(`blob ${digest}`)
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let number = 0, sent = 0; sent < row.size; number += 1) {
      const chunk = await db
        .selectFrom('blob_chunks')
        .select('bytes')
        .where('upload', '=', row.upload)
        .where('number', '=', number)
        .executeTakeFirstOrThrow()
      sent += chunk.bytes.byteLength
      yield chunk.bytes
    }
  }
  return { size: row.size, chunks: chunks() }
}

/** The engine's blobs of one project. Its readers check the digest again. */
export function createBlobSource(db: Database, project: string): BlobSource {
  return {
    async read(digest) {
      const { chunks } = await readBlob(db, project, digest)
      const parts: Buffer[] = []
      for await (const part of chunks) parts.push(part)
      return Uint8Array.from(Buffer.concat(parts))
    },
  }
}
