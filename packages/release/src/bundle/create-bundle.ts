import { type Digest, sha256 } from '@landfall/stack'
import type { BlobReader } from '../blob/read-blob.ts'
import { type Envelope, envelopePayload, parsePayload, signEnvelope } from '../dsse/envelope.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import type { Signer } from '../keys/signing-key.ts'
import { type KeysetEnvelope, keysetPayloadType } from '../keyset/keyset.ts'
import { checkKeyset } from '../keyset/sign-keyset.ts'
import type { ReleaseEnvelope } from '../statement/statement.ts'
import { writeArchive } from './archive/archive-writer.ts'
import { BlobPlan } from './blob-plan.ts'
import { bundleArchive } from './bundle-archive.ts'
import { type BundleStatement, bundlePayloadType, bundleSchemaId, checkBundleStatement } from './bundle-statement.ts'
import { commandPayloadType, commandStatement } from './command.ts'
import { unfit } from './create-errors.ts'
import { baseOf } from './delta.ts'
import { bundleTypes } from './media-types.ts'
import { layer } from './oci-view.ts'
import { planRelease } from './plan-release.ts'

export interface ReleaseSource {
  envelope: ReleaseEnvelope
  /** Where its artifacts are read from: `layoutReader(dir)`, or the manager's store. */
  blobs: BlobReader
  /** Its CycloneDX document, where the release names none itself. */
  sbom?: Uint8Array
  /** For a resource that is given as an image: an OCI layout directory that holds it. */
  images?: Readonly<Record<string, string>>
}

export interface CreateBundleOptions {
  /** The file to write; replaced whole. */
  out: string
  project: string
  releases: readonly ReleaseSource[]
  keyset: KeysetEnvelope
  /** Root rotations since the first root, in order. */
  rotations?: readonly Envelope[]
  /** A key that the keyset names. */
  signer: Signer
  /** Milliseconds since the epoch. */
  now: number
  /** Milliseconds since the epoch. */
  expiresAt?: number
  /** The only deployment that may import it. */
  deployment?: string
  /** Releases that the site has: their artifacts are left out. */
  base?: readonly ReleaseEnvelope[]
  /** As `signCommand` gives them; `deployment` must be set. */
  commands?: readonly Envelope[]
  /** Files that travel along, such as the agent's program and the chart. */
  attachments?: readonly { name: string; mediaType: string; content: Uint8Array | { file: string } }[]
  /** The site has the images of containers in a registry of its own, so they may be missing here. */
  imagesElsewhere?: boolean
}

export interface CreatedBundle {
  file: string
  /** The bundle's id: digest of what is signed. */
  id: Digest
  /** Bytes of the file. */
  size: number
  statement: BundleStatement
}

/**
 * Writes a bundle: an OCI image layout in a tar, with one signature over every blob. The same input gives the same bytes.
 *
 * @throws LandfallError `E_BUNDLE_SOURCE` when what is given does not fit together, `E_ARTIFACT_DIGEST` and `E_BLOB_MISSING`
 *   from reading artifacts, `E_TOO_LARGE`, `E_DISK_FULL`
 */
export async function createBundle(options: CreateBundleOptions): Promise<CreatedBundle> {
  const { project } = options
  const plan = new BlobPlan()
  const base = baseOf(options.base ?? [])
  const keyset = readKeyset(options)
  const chain = [...(options.rotations ?? []), options.keyset].map((envelope) => plan.bytes(canonicalBytes(envelope)))
  const attachments = []
  for (const { name, mediaType, content } of options.attachments ?? []) {
    const blob = content instanceof Uint8Array ? plan.bytes(content) : await plan.file(content.file)
    attachments.push({ name, mediaType, ...blob })
  }
  attachments.sort((a, b) => (a.name < b.name ? -1 : 1))
  const shared = [
    ...chain.map((blob, at) =>
      at === chain.length - 1
        ? layer(bundleTypes.keyset, blob, 'keyset.dsse.json')
        : layer(bundleTypes.rootRotation, blob, `root-${at + 2}.dsse.json`),
    ),
    ...attachments.map((one) => layer(one.mediaType, one, one.name)),
  ]
  const releases = []
  for (const source of options.releases) {
    releases.push(await planRelease(source, { project, plan, base, shared, imagesElsewhere: options.imagesElsewhere }))
  }
  releases.sort((a, b) => a.entry.sequence - b.entry.sequence)
  const index = releases.flatMap((release) => release.index)
  const twice = index.find((one, at) => index.findIndex((other) => other.ref === one.ref) !== at)
  if (twice) throw unfit(`two releases are called ${twice.ref}`, 'Give each release once.')
  const commands = (options.commands ?? []).map((envelope) => planCommand(envelope, options, plan))
  const omitted = new Map(releases.flatMap((release) => release.omitted).map((blob) => [blob.digest, blob]))
  const statement = checkBundleStatement({
    schema: bundleSchemaId,
    project,
    createdAt: new Date(options.now).toISOString(),
    ...(options.expiresAt === undefined ? {} : { expiresAt: new Date(options.expiresAt).toISOString() }),
    ...(options.deployment === undefined ? {} : { deployment: options.deployment }),
    keyset: {
      version: keyset.version,
      digest: chain.at(-1)?.digest,
      rotations: chain.slice(0, -1).map((blob) => blob.digest),
    },
    releases: releases.map((release) => release.entry),
    commands: commands.sort((a, b) => (a.id < b.id ? -1 : 1)),
    attachments: attachments.map(({ name, mediaType, digest }) => ({ name, mediaType, digest })),
    index,
    base: [...base.releases].sort(),
    // What another release of this bundle brings is not left out after all.
    omitted: [...omitted.values()]
      .filter((blob) => !plan.has(blob.digest))
      .sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    blobs: plan.list(),
  })
  const payload = canonicalBytes(statement)
  const envelope = canonicalBytes(await signEnvelope(bundlePayloadType, payload, [options.signer]))
  const size = await writeArchive(
    options.out,
    bundleArchive(statement, envelope, (blob) => plan.entry(blob)),
  )
  return { file: options.out, id: sha256(payload), size, statement }
}

/** The keyset is the vendor's own here, so its signature is not proved; mistakes are still found before the file travels. */
function readKeyset({ keyset, project, signer }: CreateBundleOptions) {
  const value = checkKeyset(parsePayload(envelopePayload(keyset, keysetPayloadType)))
  if (value.project !== project) throw unfit(`the keyset is of ${value.project}`, `Give the keyset of ${project}.`)
  if (!value.keys.some((key) => key.id === signer.id)) {
    throw unfit('the signing key is not in the keyset', 'Sign with a key that the keyset names.')
  }
  return value
}

function planCommand(envelope: Envelope, { deployment, project }: CreateBundleOptions, plan: BlobPlan) {
  const parsed = commandStatement.safeParse(parsePayload(envelopePayload(envelope, commandPayloadType)))
  if (!parsed.success || parsed.data.deployment !== deployment || parsed.data.project !== project) {
    throw unfit('a command in it is for another deployment', 'A bundle with commands is for the one they name.')
  }
  return { id: parsed.data.id, digest: plan.bytes(canonicalBytes(envelope)).digest }
}
