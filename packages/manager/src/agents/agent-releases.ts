import { sql } from 'kysely'
import { notFound } from '../http/refusals.ts'
import { chunkBytes } from '../store/blobs/blobs.ts'
import type { Database } from '../store/database.ts'

/** Whose content an agent may fetch. */
interface Reader {
  deployment: string
  project: string
}

/**
 * Releases that the deployment is to run, is set up with, or was told before. What was told is the manager's own record: the agent's
 * state says as much, but an agent could say anything.
 */
const told = (deployment: string) => sql<string>`(
  select target ->> 'release' from targets where deployment = ${deployment}
  union select target ->> 'release' from deployments where id = ${deployment} and deleted_at is null and target is not null
  union select setup_release from deployments where id = ${deployment} and deleted_at is null and setup_release is not null)`

/** The signed envelope of such a release. @throws LandfallError `E_NOT_FOUND` */
export async function agentRelease(db: Database, { deployment, project }: Reader, digest: string) {
  const row = await db
    .selectFrom('releases')
    .select('envelope')
    .where('project', '=', project)
    .where('digest', '=', digest)
    .where(sql<boolean>`digest in ${told(deployment)}`)
    .executeTakeFirst()
  if (!row) throw notFound(`release ${digest}`)
  return row.envelope
}

/**
 * Content of such a release from a byte on, its chunks read as they are asked for.
 *
 * @throws LandfallError `E_NOT_FOUND`
 */
export async function agentBlob(
  db: Database,
  { deployment, project }: Reader,
  digest: string,
): Promise<{ size: number; from(byte: number): AsyncGenerator<Buffer> }> {
  const row = await db
    .selectFrom('blobs')
    .select(['upload', 'size'])
    .where('project', '=', project)
    .where('digest', '=', digest)
    .where(
      sql<boolean>`exists (select from releases r where r.project = ${project} and r.digest in ${told(deployment)}
        and (r.statement -> 'artifacts' @> jsonb_build_array(jsonb_build_object('digest', ${digest}::text))
          or r.statement -> 'sbom' ->> 'digest' = ${digest}))`,
    )
    .executeTakeFirst()
  if (!row) throw notFound(`blob ${digest}`)
  const from = async function* (byte: number): AsyncGenerator<Buffer> {
    let skip = byte % chunkBytes
    for (let number = Math.floor(byte / chunkBytes), at = byte; at < row.size; number += 1) {
      const { bytes } = await db
        .selectFrom('blob_chunks')
        .select('bytes')
        .where('upload', '=', row.upload)
        .where('number', '=', number)
        .executeTakeFirstOrThrow()
      const rest = bytes.subarray(skip)
      skip = 0
      at += rest.byteLength
      yield rest
    }
  }
  return { size: row.size, from }
}
