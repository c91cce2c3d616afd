import type { BlobSource } from '@landfall/engine'
import { notFound } from '../http/refusals.ts'
import { createBlobSource } from '../store/blobs/blobs.ts'
import type { Database } from '../store/database.ts'

/**
 * Blobs by digest, whoever uploaded them: a digest names one content, and its reader checks it. A release is only published
 * in a project that has all of its blobs, so this gives no project another one's content.
 */
export function allBlobs(db: Database): BlobSource {
  return {
    async read(digest) {
      const row = await db
        .selectFrom('blobs')
        .select('project')
        .where('digest', '=', digest)
        .limit(1)
        .executeTakeFirst()
      if (!row) throw notFound(`blob ${digest}`)
      return createBlobSource(db, row.project).read(digest)
    },
  }
}
