import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, LandfallError } from '@landfall/stack'
import { type BlobReader, blobPath } from '../../blob/read-blob.ts'
import { type Envelope, parseEnvelope } from '../../dsse/envelope.ts'
import { canonicalBytes } from '../../json/canonical-bytes.ts'
import type { ReleaseEnvelope } from '../../statement/statement.ts'
import type { NonceStore } from '../command.ts'
import { fileSize, hexOf, syncDirectory } from './fs.ts'
import { type Pruned, prune } from './prune.ts'
import { type ImportRecord, parseRecord } from './record.ts'
import { Staging } from './staging.ts'

/**
 * What a site has imported, in a directory of its own:
 *
 *     blobs/sha256/…       content of bundles that were verified whole
 *     imports/ID.json      one record for each import: what makes it visible
 *     staging/ID/…         an import that is not finished: verified blobs and their journal
 *
 * It belongs to one process at a time; the agent holds a lock for that.
 */
export class BundleStore {
  readonly dir: string
  readonly #busy = new Set<Digest>()
  #pruning = false
  /** By file name: a record never changes once it has its name. */
  readonly #records = new Map<string, ImportRecord>()

  private constructor(dir: string) {
    this.dir = dir
  }

  static async open(dir: string): Promise<BundleStore> {
    for (const name of ['blobs/sha256', 'imports', 'staging']) {
      await mkdir(join(dir, name), { recursive: true, mode: 0o700 })
    }
    // A kill between the rename that finishes an import and the end of its clean-up.
    for (const name of await readdir(join(dir, 'staging'))) {
      const finished = (await fileSize(join(dir, 'imports', `${name}.json`))) !== null
      if (finished) await rm(join(dir, 'staging', name), { recursive: true, force: true })
    }
    return new BundleStore(dir)
  }

  /** Every finished import, oldest first. Throws `E_BUNDLE_STORE` when a record is damaged. */
  async imports(): Promise<ImportRecord[]> {
    const names = (await readdir(join(this.dir, 'imports'))).filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
    const records = []
    for (const name of names) {
      const file = join(this.dir, 'imports', name)
      const record = this.#records.get(name) ?? parseRecord(await readFile(file, 'utf8'), file)
      this.#records.set(name, record)
      records.push(record)
    }
    return records.sort((a, b) => (a.importedAt < b.importedAt ? -1 : a.importedAt > b.importedAt ? 1 : 0))
  }

  /** The record of one bundle; null before its import is finished. */
  async imported(id: Digest): Promise<ImportRecord | null> {
    const file = join(this.dir, 'imports', `${hexOf(id)}.json`)
    const text = await readFile(file, 'utf8').catch(() => null)
    return text === null ? null : parseRecord(text, file)
  }

  /** A release that may be offered to the engine; null for any other, also for one that is only staged. */
  async release(digest: Digest): Promise<ReleaseEnvelope | null> {
    for (const record of await this.imports()) {
      const found = record.releases.find((release) => release.digest === digest)
      if (found) return this.envelope(found.envelope)
    }
    return null
  }

  /** The keyset with the highest version that was imported. */
  async keyset(): Promise<{ version: number; envelope: Envelope } | null> {
    const [newest] = (await this.imports()).map((record) => record.keyset).sort((a, b) => b.version - a.version)
    return newest ? { version: newest.version, envelope: await this.envelope(newest.digest) } : null
  }

  /** Content by digest, a chunk at a time; check it with `readBlob` or `verifyBlob`. Throws `E_BLOB_MISSING`. */
  get read(): BlobReader {
    return async (digest) => {
      const file = blobPath(this.dir, digest)
      if ((await fileSize(file)) !== null) return chunksOf(file)
      throw new LandfallError({
        code: 'E_BLOB_MISSING',
        message: `The blob ${digest} is not in the store of this site.`,
        hint: 'Import a bundle that holds it.',
      })
    }
  }

  async envelope(digest: Digest): Promise<Envelope> {
    return parseEnvelope(await readFile(blobPath(this.dir, digest), 'utf8'))
  }

  /** Nonces of the commands in every finished import. */
  get nonces(): NonceStore {
    return {
      seen: async (nonce) =>
        (await this.imports()).some((record) => record.commands.some((command) => command.nonce === nonce)),
    }
  }

  /** Imports that were begun and not finished: ids, with what is verified so far. */
  async unfinished(): Promise<{ bundle: Digest; blobs: number; bytes: number }[]> {
    const found = []
    for (const name of await readdir(join(this.dir, 'staging'))) {
      if (!/^[0-9a-f]{64}$/.test(name)) continue
      const staging = this.staging(`sha256:${name}`)
      await staging.load()
      found.push({ bundle: `sha256:${name}`, ...staging.progress() })
    }
    return found
  }

  /** Drops an unfinished import and frees its disk space. Throws `E_BUNDLE_BUSY`. */
  async discard(id: Digest): Promise<void> {
    await this.exclusively(id, () => this.staging(id).remove())
  }

  /**
   * Drops every finished import that holds none of these releases, brought not the newest keyset and is not the last, with the
   * blobs that no other import names. What is not finished is left alone. Killed at any point, the next call goes on.
   *
   * @throws LandfallError `E_BUNDLE_BUSY` while an import runs: it counts on blobs that are there
   */
  async retain(releases: ReadonlySet<Digest>): Promise<Pruned> {
    if (this.#busy.size > 0 || this.#pruning) throw busy()
    this.#pruning = true
    try {
      const records = await this.imports()
      const keyset = records.reduce<ImportRecord | undefined>(
        (best, record) => (best && best.keyset.version > record.keyset.version ? best : record),
        undefined,
      )
      const needed = (record: ImportRecord) =>
        record === keyset || record === records.at(-1) || record.releases.some(({ digest }) => releases.has(digest))
      if (records.every(needed)) return { imports: [], blobs: 0, bytes: 0 }
      const pruned = await prune(this.dir, records, needed)
      for (const id of pruned.imports) this.#records.delete(`${hexOf(id)}.json`)
      return pruned
    } finally {
      this.#pruning = false
    }
  }

  staging(id: Digest): Staging {
    return new Staging(join(this.dir, 'staging', hexOf(id)))
  }

  /** Runs `act` while no other import of the same bundle does. Throws `E_BUNDLE_BUSY`. */
  async exclusively<T>(id: Digest, act: () => Promise<T>): Promise<T> {
    if (this.#busy.has(id) || this.#pruning) throw busy()
    this.#busy.add(id)
    try {
      return await act()
    } finally {
      this.#busy.delete(id)
    }
  }

  /** Makes an import visible: blobs into their place, then the record by one rename. Running it again after a kill goes on. */
  async commit(staging: Staging, record: ImportRecord, onMoved?: () => void): Promise<void> {
    const name = `${hexOf(record.bundle)}.json`
    const written = join(staging.dir, 'record')
    const handle = await open(written, 'w')
    try {
      await handle.writeFile(canonicalBytes(record))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await staging.moveTo((digest) => blobPath(this.dir, digest), onMoved)
    await syncDirectory(join(this.dir, 'blobs', 'sha256'))
    await rename(written, join(this.dir, 'imports', name))
    await syncDirectory(join(this.dir, 'imports'))
    await staging.remove()
  }
}

const busy = () =>
  new LandfallError({
    code: 'E_BUNDLE_BUSY',
    message: 'This bundle is being imported already, or old ones are being cleared away.',
    hint: 'Wait until it is done; the status shows how far it is.',
    retryable: true,
  })

/** Opened when it is read first, so that nothing stays open where nobody reads. */
async function* chunksOf(file: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(file, { highWaterMark: 1024 * 1024 })
}
