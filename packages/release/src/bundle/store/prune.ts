import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '@landfall/stack'
import { blobPath } from '../../blob/read-blob.ts'
import { envelopePayload, parseEnvelope, parsePayload } from '../../dsse/envelope.ts'
import { bundlePayloadType, checkBundleStatement } from '../bundle-statement.ts'
import { hexOf, syncDirectory } from './fs.ts'
import type { ImportRecord } from './record.ts'

export interface Pruned {
  /** Imports that are gone. */
  imports: Digest[]
  blobs: number
  bytes: number
}

/**
 * Drops imports that nobody needs, then the blobs that no other import names. The record goes first, so that after a kill no
 * record names a blob that is not there; the next call sweeps what that one left.
 *
 * @param records every finished import
 * @param keep which of them stay
 */
export async function prune(
  dir: string,
  records: readonly ImportRecord[],
  keep: (record: ImportRecord) => boolean,
): Promise<Pruned> {
  const kept = records.filter(keep)
  const dropped = records.filter((record) => !kept.includes(record))
  // Read before anything goes: a damaged description must stop it here.
  const needed = new Set<string>()
  for (const record of kept) for (const digest of await blobsOf(dir, record)) needed.add(hexOf(digest))
  for (const { bundle } of dropped) await rm(join(dir, 'imports', `${hexOf(bundle)}.json`), { force: true })
  if (dropped.length > 0) await syncDirectory(join(dir, 'imports'))
  const pruned: Pruned = { imports: dropped.map((record) => record.bundle), blobs: 0, bytes: 0 }
  const blobs = join(dir, 'blobs', 'sha256')
  for (const name of await readdir(blobs)) {
    if (needed.has(name) || !/^[0-9a-f]{64}$/.test(name)) continue
    const { size } = await stat(join(blobs, name))
    await rm(join(blobs, name), { force: true })
    pruned.blobs++
    pruned.bytes += size
  }
  return pruned
}

/** Everything that a bundle brought or built on. */
async function blobsOf(dir: string, record: ImportRecord): Promise<Digest[]> {
  const envelope = parseEnvelope(await readFile(blobPath(dir, record.envelope), 'utf8'))
  const statement = checkBundleStatement(parsePayload(envelopePayload(envelope, bundlePayloadType)))
  return [record.envelope, ...[...statement.blobs, ...statement.omitted].map((blob) => blob.digest)]
}
