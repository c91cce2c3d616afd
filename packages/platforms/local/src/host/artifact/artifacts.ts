import { createHash, randomUUID } from 'node:crypto'
import { existsSync, renameSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { LandfallError } from '@landfall/stack'
import { readTar } from './read-tar.ts'

const maxUnpackedBytes = 512 * 1024 * 1024

/** Unpacked code by digest, below one directory. */
export class Artifacts {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  path(digest: string): string {
    return join(this.#directory, digest.replace(/^sha256:/, ''))
  }

  /** The file a process starts with. */
  entry(digest: string): string {
    return join(this.path(digest), 'index.mjs')
  }

  has(digest: string): boolean {
    return existsSync(this.entry(digest))
  }

  /** Checks the digest, unpacks aside and renames: what is there is whole. Idempotent. */
  async put(digest: string, bytes: Uint8Array): Promise<void> {
    const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    if (actual !== digest) {
      throw new LandfallError({
        code: 'E_ARTIFACT_DIGEST',
        message: `The artifact's bytes have the digest ${actual}, not ${digest}.`,
        hint: 'The artifact was changed or cut on its way: bring it again from the release.',
      })
    }
    if (this.has(digest)) return
    await mkdir(this.#directory, { recursive: true })
    const scratch = await mkdtemp(join(this.#directory, 'unpack-'))
    try {
      for (const file of unpack(bytes)) {
        const path = join(scratch, file.path)
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, file.content, { mode: (file.mode & 0o100) === 0 ? 0o600 : 0o700, flush: true })
      }
      await rename(scratch, this.path(digest)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      })
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }

  /** Gone when this returns; its files follow. What a kill leaves of them is swept. */
  async drop(digest: string): Promise<void> {
    if (!this.has(digest)) return
    const gone = join(this.#directory, `unpack-${randomUUID()}`)
    renameSync(this.path(digest), gone)
    await rm(gone, { recursive: true, force: true })
  }

  /** Deletes what no version names, and half-made copies. */
  async sweep(used: ReadonlySet<string>): Promise<void> {
    const keep = new Set([...used].map((digest) => digest.replace(/^sha256:/, '')))
    for (const name of await readdir(this.#directory).catch(() => [])) {
      if (!keep.has(name)) await rm(join(this.#directory, name), { recursive: true, force: true })
    }
  }
}

function unpack(bytes: Uint8Array) {
  try {
    const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b
    const files = readTar(gzip ? gunzipSync(bytes, { maxOutputLength: maxUnpackedBytes }) : bytes)
    if (!files.some(({ path }) => path === 'index.mjs')) throw new RangeError('the archive holds no index.mjs')
    return files
  } catch (cause) {
    throw new LandfallError({
      code: 'E_ARTIFACT_INVALID',
      message: `The artifact can't be unpacked: ${cause instanceof Error ? cause.message : String(cause)}.`,
      hint: 'Build and release it again.',
      cause,
    })
  }
}
