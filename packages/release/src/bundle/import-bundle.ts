import { readFile } from 'node:fs/promises'
import { type Digest, LandfallError, sha256 } from '@landfall/stack'
import { blobPath } from '../blob/read-blob.ts'
import type { PinnedRoot } from '../keyset/root-rotation.ts'
import { diskFull } from './archive/disk-full.ts'
import { type BlobEntry, type BundleStatement, bundleInvalid } from './bundle-statement.ts'
import { type BundleContents, type ContentOptions, contentCheck } from './check-contents.ts'
import type { TrustedHead } from './check-trust.ts'
import type { NonceStore } from './command.ts'
import { openBundle } from './open-bundle.ts'
import type { BundleStore } from './store/bundle-store.ts'
import { fileIs, fileSize } from './store/fs.ts'
import { type ImportRecord, importSchemaId } from './store/record.ts'
import type { Staging } from './store/staging.ts'
import { walkBundle } from './walk-bundle.ts'

export interface ImportProgress {
  phase: 'copy' | 'commit'
  /** Blobs and bytes that are verified, of all that the bundle holds. */
  blobs: number
  bytes: number
  totalBlobs: number
  totalBytes: number
}

export interface ImportOptions extends Omit<ContentOptions, 'nonces'> {
  /** Where used nonces are known; default: the store's own imports. */
  nonces?: NonceStore
  /**
   * The last word before the import becomes visible: what it throws refuses the bundle, whose blobs stay staged.
   *
   * @param read a blob of the bundle, verified
   */
  accept?: (statement: BundleStatement, read: (digest: Digest) => Promise<Buffer>) => Promise<void>
  /** Told after each piece that is written. */
  onProgress?: (progress: ImportProgress) => void
}

export interface ImportResult {
  /** `already`: this very bundle was imported before; nothing was done, and its commands are not given again. */
  status: 'imported' | 'already'
  record: ImportRecord
  /** Accepted commands, to be run once each. Their nonces are used up by the record. */
  commands: BundleContents['commands']
  /** The root to pin from now on. */
  root: PinnedRoot
}

/**
 * Imports a bundle, or its parts, into a store. Content streams through a chunk at a time, is verified before it counts, and
 * lies aside until the whole bundle is; one rename then makes it visible. After a kill, a loss of power or a full disk the
 * same call goes on with the blobs that are not verified yet.
 *
 * @param input the file, or the index of its parts
 * @throws LandfallError as `verifyBundle`; and `E_BUNDLE_BASE_MISSING`, `E_DISK_FULL`, `E_BUNDLE_BUSY`, `E_BUNDLE_STORE`
 */
export async function importBundle(input: string, store: BundleStore, options: ImportOptions): Promise<ImportResult> {
  const source = await openBundle(input)
  try {
    // The description is proved before its id is believed: it names the staging directory.
    const first = await walkBundle(source, options, { begin: async () => false, blob: async () => undefined })
    const already = await store.imported(first.id)
    if (already) return { status: 'already', record: already, commands: [], root: first.root }
    return await store.exclusively(first.id, async () => {
      const running = new Import(store, first.id, options)
      try {
        const trusted = await walkBundle(source, options, running)
        return await running.finish(trusted)
      } finally {
        await running.staging.close()
      }
    })
  } finally {
    await source.close()
  }
}

/** One run of an import: the visitor of its walk. */
class Import {
  readonly staging: Staging
  readonly #store: BundleStore
  readonly #id: Digest
  readonly #options: ImportOptions
  readonly #present = new Set<Digest>()
  #envelope: Digest = ''
  #done = { blobs: 0, bytes: 0 }
  #total = { blobs: 0, bytes: 0 }

  constructor(store: BundleStore, id: Digest, options: ImportOptions) {
    this.#store = store
    this.#id = id
    this.staging = store.staging(id)
    this.#options = options
  }

  async begin({ statement, id }: TrustedHead, head: { envelopeBytes: Buffer }): Promise<boolean> {
    if (id !== this.#id) throw bundleInvalid('it was changed while it was read')
    this.#total = { blobs: statement.blobs.length, bytes: sum(statement.blobs) }
    await this.#requireBase(statement)
    await this.staging.open().catch((cause: unknown) => {
      throw diskFull(cause, this.staging.dir, { needed: this.#total.bytes })
    })
    const envelope = { digest: sha256(head.envelopeBytes), size: head.envelopeBytes.length }
    for (const blob of [envelope, ...statement.blobs]) {
      // The journal is right about what was; someone may have taken the file away since.
      if (this.staging.has(blob) && !(await this.#isThere(blob))) this.staging.forget(blob)
    }
    this.#envelope = envelope.digest
    if (!this.staging.has(envelope)) await this.staging.write(envelope, once(head.envelopeBytes), this.#total.bytes)
    return true
  }

  has(blob: BlobEntry): boolean {
    const has = this.staging.has(blob)
    if (has) this.#count(blob)
    return has
  }

  async blob(blob: BlobEntry, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (await fileIs(blobPath(this.#store.dir, blob.digest), blob)) {
      // Read to its end all the same: a damaged bundle is refused wherever it is imported.
      for await (const _ of content);
      this.#present.add(blob.digest)
    } else {
      await this.staging.write(blob, this.#watched(content), this.#total.bytes - this.#done.bytes)
    }
    this.#count(blob)
  }

  /** The walk is through: every byte was verified. Proves the documents, then makes it visible. */
  async finish(trusted: TrustedHead): Promise<ImportResult> {
    const { statement, id, root } = trusted
    await this.staging.flush().catch((cause: unknown) => {
      throw diskFull(cause, this.staging.dir, { needed: 0 })
    })
    const check = contentCheck(trusted, { ...this.#options, nonces: this.#options.nonces ?? this.#store.nonces })
    for (const digest of check.documents) await check.take(digest, await readFile(await this.#place(digest)))
    const contents = check.contents()
    await this.#options.accept?.(statement, async (digest) => readFile(await this.#place(digest)))
    const present = statement.blobs.filter((blob) => this.#present.has(blob.digest))
    const written = statement.blobs.filter((blob) => !this.#present.has(blob.digest))
    const record: ImportRecord = {
      schema: importSchemaId,
      bundle: id,
      project: statement.project,
      importedAt: new Date(this.#options.now).toISOString(),
      envelope: this.#envelope,
      keyset: statement.keyset,
      releases: trusted.offered,
      belowFloor: trusted.belowFloor,
      commands: contents.commands.map((one) => ({
        id: one.statement.id,
        digest: one.digest,
        nonce: one.statement.nonce,
      })),
      refusedCommands: contents.refusedCommands,
      attachments: statement.attachments,
      written: { blobs: written.length, bytes: sum(written) },
      present: { blobs: present.length, bytes: sum(present) },
    }
    await this.#store
      .commit(this.staging, record, () => this.#tell('commit'))
      .catch((cause: unknown) => {
        throw diskFull(cause, this.#store.dir, { needed: 0 })
      })
    return { status: 'imported', record, commands: contents.commands, root }
  }

  /** What a delta leaves out must be here, and whole. */
  async #requireBase(statement: BundleStatement): Promise<void> {
    const missing = []
    for (const blob of statement.omitted) {
      if (!(await fileIs(blobPath(this.#store.dir, blob.digest), blob))) missing.push(blob)
    }
    if (missing.length === 0) return
    throw new LandfallError({
      code: 'E_BUNDLE_BASE_MISSING',
      message: `The bundle is a delta, and ${missing.length} of ${statement.omitted.length} blobs that it builds on are not here or are damaged (${sum(missing)} bytes).`,
      hint: 'Import a bundle of the releases that it builds on first, or ask the vendor for a full one.',
      problems: [
        ...statement.base.map((digest) => ({ path: 'base', message: `builds on the release ${digest}` })),
        ...missing.slice(0, 20).map(({ digest, size }) => ({ path: digest, message: `is missing (${size} bytes)` })),
      ],
    })
  }

  async #isThere(blob: BlobEntry): Promise<boolean> {
    const staged = await fileSize(this.staging.path(blob.digest))
    return (staged ?? (await fileSize(blobPath(this.#store.dir, blob.digest)))) === blob.size
  }

  /** Where a verified blob is: staged, or in the store. */
  async #place(digest: Digest): Promise<string> {
    const staged = this.staging.path(digest)
    return (await fileSize(staged)) === null ? blobPath(this.#store.dir, digest) : staged
  }

  async *#watched(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0
    for await (const chunk of content) {
      yield chunk
      bytes += chunk.length
      this.#tell('copy', bytes)
    }
  }

  #count(blob: BlobEntry): void {
    this.#done = { blobs: this.#done.blobs + 1, bytes: this.#done.bytes + blob.size }
    this.#tell('copy')
  }

  #tell(phase: ImportProgress['phase'], more = 0): void {
    const { blobs, bytes } = this.#done
    this.#options.onProgress?.({
      phase,
      blobs,
      bytes: bytes + more,
      totalBlobs: this.#total.blobs,
      totalBytes: this.#total.bytes,
    })
  }
}

const sum = (blobs: readonly BlobEntry[]) => blobs.reduce((total, blob) => total + blob.size, 0)

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
