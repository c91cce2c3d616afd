import { createHash } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Digest, digest, LandfallError } from '@landfall/stack'
import { z } from 'zod'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import { type ByteSource, concatenateSources, openFileSource } from './archive/byte-source.ts'
import { diskFull } from './archive/disk-full.ts'
import { bundleInvalid } from './bundle-statement.ts'

export const partsSchemaId = 'landfall.dev/bundle-parts/v1'
const chunkBytes = 1024 * 1024
const maxParts = 500
export const maxPartsIndexBytes = 4 * 1024 * 1024

/**
 * What the index of a split bundle says. It is not signed: whoever carries the parts may split them; the bundle in them is signed
 * and is proved as a whole. The digests are there to name the part that was damaged.
 */
export const partsIndex = z.strictObject({
  schema: z.literal(partsSchemaId),
  /** Of the whole file. */
  digest,
  size: z.number().int().positive(),
  parts: z
    .array(
      z.strictObject({
        /** A file beside the index. */
        name: z.string().regex(/^[A-Za-z0-9][\w.+-]{0,199}$/),
        digest,
        size: z.number().int().positive(),
      }),
    )
    .min(1)
    .max(maxParts),
})
export type PartsIndex = z.infer<typeof partsIndex>

/**
 * Cuts a bundle into files of at most `maxBytes`, `NAME.001` and so on, and writes `NAME.parts.json`, which import and
 * join take in place of the bundle.
 *
 * @returns path of the index
 * @throws LandfallError `E_BUNDLE_SOURCE` when it would be too many parts, `E_DISK_FULL`
 */
export async function splitBundle(file: string, maxBytes: number, outDir = dirname(file)): Promise<string> {
  const { size } = await stat(file)
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || size < 1 || size / maxBytes > maxParts) {
    throw new LandfallError({
      code: 'E_BUNDLE_SOURCE',
      message: `The bundle of ${size} bytes can not be cut into parts of ${maxBytes} bytes.`,
      hint: `Choose a size that makes at most ${maxParts} parts.`,
    })
  }
  const name = basename(file)
  const source = await openFileSource(file)
  const index = join(outDir, `${name}.parts.json`)
  try {
    const whole = createHash('sha256')
    const parts: PartsIndex['parts'] = []
    for (let at = 0; at < size; at += maxBytes) {
      const part = `${name}.${String(parts.length + 1).padStart(3, '0')}`
      const length = Math.min(maxBytes, size - at)
      const partDigest = await copy(source, at, length, join(outDir, part), whole)
      parts.push({ name: part, digest: partDigest, size: length })
    }
    const value = partsIndex.parse({ schema: partsSchemaId, digest: finished(whole), size, parts })
    const temporary = `${index}.writing`
    const handle = await open(temporary, 'w')
    await handle.writeFile(canonicalBytes(value))
    await handle.sync()
    await handle.close()
    await rename(temporary, index)
  } catch (cause) {
    throw diskFull(cause, outDir)
  } finally {
    await source.close()
  }
  return index
}

/**
 * Puts the parts together again; the file appears whole or not at all.
 *
 * @throws LandfallError `E_BUNDLE_PART` naming the part that is missing or damaged, `E_BUNDLE_INVALID`, `E_DISK_FULL`
 */
export async function joinBundle(index: string, out: string): Promise<void> {
  const source = await openParts(index, await readFile(index, 'utf8'))
  const temporary = `${out}.writing`
  try {
    await rm(temporary, { force: true })
    await copy(source, 0, source.size, temporary)
    await rename(temporary, out)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw diskFull(cause, out)
  } finally {
    await source.close()
  }
}

/** The parts as one source, each checked against the index first. Throws `E_BUNDLE_PART`, `E_BUNDLE_INVALID`. */
export async function openParts(index: string, text: string): Promise<ByteSource> {
  const { parts, digest: whole, size } = parseIndex(text)
  const sources: ByteSource[] = []
  const close = () => Promise.all(sources.map((source) => source.close()))
  try {
    const all = createHash('sha256')
    for (const part of parts) {
      const source = await openFileSource(join(dirname(index), part.name)).catch(() => null)
      if (!source) throw badPart(part.name, 'is missing')
      sources.push(source)
      const hash = createHash('sha256')
      for await (const chunk of chunks(source, 0, source.size)) {
        hash.update(chunk)
        all.update(chunk)
      }
      if (source.size !== part.size || finished(hash) !== part.digest) throw badPart(part.name, 'is damaged')
    }
    if (finished(all) !== whole || parts.reduce((total, part) => total + part.size, 0) !== size) {
      throw bundleInvalid('the index of its parts does not fit them')
    }
    return concatenateSources(sources)
  } catch (cause) {
    await close()
    throw cause
  }
}

function parseIndex(text: string): PartsIndex {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw bundleInvalid('the index of its parts is not JSON')
  }
  const parsed = partsIndex.safeParse(value)
  if (!parsed.success) throw bundleInvalid('the index of its parts does not have its shape')
  return parsed.data
}

async function copy(
  source: ByteSource,
  at: number,
  length: number,
  to: string,
  also?: ReturnType<typeof createHash>,
): Promise<Digest> {
  const hash = createHash('sha256')
  const handle = await open(to, 'w')
  try {
    for await (const chunk of chunks(source, at, length)) {
      hash.update(chunk)
      also?.update(chunk)
      await handle.writeFile(chunk)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return finished(hash)
}

async function* chunks(source: ByteSource, from: number, length: number): AsyncGenerator<Buffer> {
  for (let at = from; at < from + length; at += chunkBytes) {
    yield await source.read(at, Math.min(chunkBytes, from + length - at))
  }
}

const finished = (hash: ReturnType<typeof createHash>): Digest => `sha256:${hash.digest('hex')}`

function badPart(name: string, what: string): LandfallError {
  return new LandfallError({
    code: 'E_BUNDLE_PART',
    message: `The part ${name} of the bundle ${what}.`,
    hint: 'Copy this part again, to the directory of the index. The others are kept.',
  })
}
