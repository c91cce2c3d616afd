import { Readable } from 'node:stream'
import type { Handlers } from '../../http/handler.ts'
import { findProject } from '../../store/accounts/projects.ts'
import { missingBlobs, putBlob, readBlob } from '../../store/blobs/blobs.ts'

export const blobHandlers = {
  hasBlobs: async ({ params, body }, { db }) => {
    await findProject(db, params.project)
    return { missing: await missingBlobs(db, params.project, body.digests) }
  },

  putBlob: async ({ params, body }, { db, clock }) => {
    await findProject(db, params.project)
    const missing = await missingBlobs(db, params.project, [params.digest])
    // Sent again after an answer that was lost: here already, and proved then.
    if (missing.length === 0) return undefined
    await putBlob(db, { project: params.project, digest: params.digest, content: body, at: clock.now() })
    return undefined
  },

  getBlob: async ({ params }, { db }) => {
    const { size, chunks } = await readBlob(db, params.project, params.digest)
    const stream = Readable.toWeb(Readable.from(chunks)) as ReadableStream<Uint8Array>
    return new Response(stream, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(size),
        'cache-control': 'private, max-age=31536000, immutable',
        etag: `"${params.digest}"`,
      },
    })
  },
} satisfies Partial<Handlers>
