import { type Digest, digest, sha256 } from '@landfall/stack'
import { z } from 'zod'
import { type Envelope, parseEnvelope } from '../dsse/envelope.ts'
import { parseStrictJson } from '../json/parse-strict.ts'
import { wrongContent } from './archive/archive-errors.ts'
import type { ArchiveReader } from './archive/archive-reader.ts'
import { blobName } from './blob-plan.ts'
import { type BlobEntry, bundleInvalid } from './bundle-statement.ts'
import { maxDocumentBytes, maxRotations } from './limits.ts'
import { artifactTypes, bundleTypes } from './media-types.ts'
import { layoutFile } from './oci-view.ts'

const descriptor = z.object({
  mediaType: z.string(),
  digest,
  size: z.number().int().nonnegative().max(maxDocumentBytes),
})
const index = z.object({ manifests: z.array(descriptor.loose()).min(1) })
const manifest = z.object({
  artifactType: z.literal(artifactTypes.bundle),
  config: descriptor,
  layers: z.array(z.object({ mediaType: z.string(), digest, size: z.number().int().nonnegative() })).min(2),
})

/** The first entries of a bundle: what its trust is decided by. Read, of the right digests, and not trusted. */
export interface BundleHead {
  index: Buffer
  manifest: Buffer
  config: Buffer
  envelope: Envelope
  /** The envelope's bytes as they lie in the file. */
  envelopeBytes: Buffer
  rotations: Envelope[]
  keyset: Envelope
  /** The chain's blobs in the order of the file: rotations, then the keyset. */
  chain: (BlobEntry & { bytes: Buffer })[]
}

/** Throws `E_BUNDLE_INVALID`, `E_ARCHIVE_*`, and those of reading an envelope. */
export async function readHead(reader: ArchiveReader): Promise<BundleHead> {
  const size = await reader.open('oci-layout', { max: 1024 })
  if (!(await reader.bytes(size)).equals(layoutFile)) throw bundleInvalid('it is not an OCI layout of version 1.0.0')
  const indexBytes = await reader.bytes(await reader.open('index.json', { max: maxDocumentBytes }))
  const first = parse(index, indexBytes, 'its index').manifests[0]
  if (!first) throw bundleInvalid('its index is empty')
  const manifestBytes = await blob(reader, first)
  const own = parse(manifest, manifestBytes, 'its first manifest')
  const config = await blob(reader, own.config)
  const chain: BundleHead['chain'] = []
  const last = own.layers.findIndex((layer) => layer.mediaType === bundleTypes.keyset)
  const head = own.layers.slice(0, last + 1)
  const types = head.map((layer) => layer.mediaType)
  const expected = [bundleTypes.bundle, ...types.slice(2).map(() => bundleTypes.rootRotation), bundleTypes.keyset]
  if (types.join() !== expected.join() || head.length > maxRotations + 2) {
    throw bundleInvalid('it does not begin with its own description and its keys')
  }
  for (const layer of head) chain.push({ ...layer, bytes: await blob(reader, layer) })
  const envelopes = chain.map((entry) => parseEnvelope(entry.bytes.toString('utf8')))
  const [envelope, keyset, bundle] = [envelopes[0], envelopes.at(-1), chain.shift()]
  if (!envelope || !keyset || !bundle) throw bundleInvalid('it has no description')
  return {
    index: indexBytes,
    manifest: manifestBytes,
    config,
    envelope,
    envelopeBytes: bundle.bytes,
    rotations: envelopes.slice(1, -1),
    keyset,
    chain: chain.map(({ digest: name, size: length, bytes }) => ({ digest: name, size: length, bytes })),
  }
}

async function blob(reader: ArchiveReader, { digest: name, size }: { digest: Digest; size: number }): Promise<Buffer> {
  if (size > maxDocumentBytes) throw bundleInvalid('its description is too large')
  await reader.open(blobName(name), { size })
  const bytes = await reader.bytes(size)
  if (sha256(bytes) !== name) throw wrongContent('bundle', blobName(name))
  return bytes
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer, what: string): T {
  let value: unknown
  try {
    value = parseStrictJson(bytes.toString('utf8'), { maxBytes: maxDocumentBytes, what: 'bundle' })
  } catch {
    throw bundleInvalid(`${what} is not JSON`)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw bundleInvalid(`${what} is not one of a bundle`)
  return parsed.data
}
