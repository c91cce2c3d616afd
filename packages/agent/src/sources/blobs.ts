import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobSource } from '@landfall/engine'
import { type BundleStore, blobPath, readBlob } from '@landfall/release'
import { type Digest, LandfallError, sha256 } from '@landfall/stack'
import type { BlobStream, Upstream } from './upstream.ts'

/** A worker's files are read into memory whole, so more is refused before it fills the disk. */
const defaultMaxBytes = 512 * 1024 * 1024

export interface AgentBlobs extends BlobSource {
  /** Whether it is at the site; its digest is proved when it is read. */
  has(digest: Digest): Promise<boolean>
  /** Brings it to the site. @throws LandfallError, retryable where it may come later */
  ensure(digest: Digest): Promise<void>
  /** Removes cached content that is not among these, and half-loaded files that nobody goes on with. */
  keepOnly(digests: ReadonlySet<string>): Promise<void>
}

export interface BlobsOptions {
  directory: string
  bundles: BundleStore
  upstream: Upstream | null
  maxBytes?: number
  /** For a whole download, milliseconds. What was loaded until then is kept and gone on with. */
  deadlineMs?: number
  onDisk?: (full: LandfallError | null) => void
  /** Told of each piece on the disk; for tests that kill there. */
  onPiece?: (bytes: number) => void
}

/**
 * Content by digest: cached, imported, or loaded from the manager. A download goes on where it broke off, also after a kill, and gets
 * its name only once its digest is proved. A cached file that is no longer what it was is loaded again.
 */
export function createBlobs(options: BlobsOptions): AgentBlobs {
  const { directory, bundles, upstream, maxBytes = defaultMaxBytes, deadlineMs = 30 * 60_000 } = options
  const under = new Map<Digest, Promise<void>>()
  const pathOf = (digest: Digest) => join(directory, hexOf(digest))

  async function cached(digest: Digest): Promise<Uint8Array | null> {
    const bytes = await readFile(pathOf(digest)).catch(() => null)
    if (bytes === null) return null
    if (sha256(bytes) === digest) return bytes
    await rm(pathOf(digest), { force: true })
    return null
  }

  async function imported(digest: Digest): Promise<Uint8Array | null> {
    try {
      return await readBlob(bundles.read, { digest }, maxBytes)
    } catch (error) {
      if (LandfallError.is(error, 'E_BLOB_MISSING') || LandfallError.is(error, 'E_ARTIFACT_DIGEST')) return null
      throw error
    }
  }

  async function has(digest: Digest): Promise<boolean> {
    for (const file of [pathOf(digest), blobPath(bundles.dir, digest)])
      if (await stat(file).catch(() => null)) return true
    return false
  }

  async function load(digest: Digest): Promise<void> {
    if (!upstream) {
      throw new LandfallError({
        code: 'E_BLOB_MISSING',
        message: `The blob ${digest} is not at this site.`,
        hint: 'Import a bundle that holds it.',
        retryable: true,
      })
    }
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await download(digest, upstream)
      options.onDisk?.(null)
    } catch (error) {
      const full = diskFull(error)
      if (full) options.onDisk?.(full)
      throw full ?? error
    }
  }

  /** One download of a digest at a time, whoever asks. */
  function loaded(digest: Digest): Promise<void> {
    const running = under.get(digest)
    if (running) return running
    const loading = load(digest).finally(() => under.delete(digest))
    under.set(digest, loading)
    return loading
  }

  async function download(digest: Digest, from: Upstream): Promise<void> {
    const part = `${pathOf(digest)}.part`
    const known = (await stat(part).catch(() => null))?.size ?? 0
    const before = createHash('sha256')
    await hashFile(part, known, before)
    // Killed between the last byte and the rename.
    if (known > 0 && `sha256:${before.copy().digest('hex')}` === digest) return rename(part, pathOf(digest))
    const stream = await from.blob(digest, known, AbortSignal.timeout(deadlineMs))
    if ((stream.total ?? 0) > maxBytes) throw tooLarge(digest, maxBytes)
    const hash = stream.from === known ? before : createHash('sha256')
    const handle = await open(part, stream.from === known ? 'a' : 'w', 0o600)
    try {
      await receive(stream, handle, hash, { digest, begun: stream.from === known ? known : 0 })
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (`sha256:${hash.digest('hex')}` !== digest) {
      // What is there is wrong from an unknown byte on: nothing of it is worth going on with.
      await rm(part, { force: true })
      throw broken(digest)
    }
    await rename(part, pathOf(digest))
  }

  async function receive(
    stream: BlobStream,
    handle: { write(bytes: Uint8Array): Promise<unknown> },
    hash: Hash,
    { digest, begun }: { digest: Digest; begun: number },
  ): Promise<void> {
    let length = begun
    for await (const chunk of stream.content) {
      length += chunk.length
      if (length > maxBytes) throw tooLarge(digest, maxBytes)
      hash.update(chunk)
      await handle.write(chunk)
      options.onPiece?.(length)
    }
    if (stream.total !== null && length < stream.total) throw cutOff(digest)
  }

  return {
    has,
    ensure: async (digest) => {
      if (!(await has(digest))) await loaded(digest)
    },
    async read(digest) {
      const here = (await cached(digest)) ?? (await imported(digest))
      if (here) return here
      await loaded(digest)
      const bytes = await cached(digest)
      if (bytes) return bytes
      throw broken(digest)
    },
    async keepOnly(digests) {
      for (const name of await readdir(directory).catch(() => [])) {
        const digest = `sha256:${name.replace(/\.part$/, '')}`
        if (!digests.has(digest) && !under.has(digest as Digest)) await rm(join(directory, name), { force: true })
      }
    },
  }
}

async function hashFile(file: string, size: number, hash: Hash): Promise<void> {
  if (size === 0) return
  for await (const chunk of createReadStream(file, { end: size - 1, highWaterMark: 1024 * 1024 })) hash.update(chunk)
}

/** @throws RangeError on what is not a sha256 digest, so that no digest leads out of the directory */
function hexOf(digest: Digest): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest)
  if (match?.[1]) return match[1]
  throw new RangeError('not a sha256 digest')
}

function diskFull(error: unknown): LandfallError | null {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return null
  return new LandfallError({
    code: 'E_DISK_FULL',
    message: 'A release could not be loaded: the disk is full.',
    hint: 'Make room. What was loaded is kept, and the agent goes on by itself when there is room.',
    retryable: true,
    cause: error,
  })
}

const broken = (digest: Digest) =>
  new LandfallError({
    code: 'E_ARTIFACT_DIGEST',
    message: `The content is not what its digest ${digest} names.`,
    hint: 'It was damaged or changed on the way. It is loaded again; if it stays, look at what is between agent and manager.',
    retryable: true,
  })

const cutOff = (digest: Digest) =>
  new LandfallError({
    code: 'E_UNREACHABLE',
    message: `Loading ${digest} was cut off; it goes on from there.`,
    hint: 'Nothing is to be done unless it stays: then look at what is between agent and manager.',
    retryable: true,
  })

const tooLarge = (digest: Digest, maxBytes: number) =>
  new LandfallError({
    code: 'E_TOO_LARGE',
    message: `The blob ${digest} is larger than ${maxBytes} bytes.`,
    hint: 'Make the artifact smaller: a worker should not carry data files.',
  })
