import { digest, LandfallError, type Problem, problemsOf, resourceName } from '@landfall/stack'
import { z } from 'zod'
import { timestamp } from '../keyset/keyset.ts'
import { releaseVersion } from '../statement/statement.ts'
import { maxCommands, maxReleases, maxRotations } from './limits.ts'

export const bundleSchemaId = 'landfall.dev/bundle/v1'
export const bundlePayloadType = 'application/vnd.landfall.bundle.v1+json'

/** Who runs a deployment names it; it only has to be the same on both sides. */
export const deploymentId = z.string().regex(/^[\w.:-]{1,200}$/, 'not the id of a deployment')

const size = z.number().int().nonnegative()
const sequence = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)

export const blobEntry = z.strictObject({ digest, size })
export type BlobEntry = z.infer<typeof blobEntry>

export const bundleRelease = z.strictObject({
  /** The release's digest: that of its statement. */
  digest,
  version: releaseVersion,
  channel: resourceName,
  sequence,
  /** Blob of its DSSE envelope. */
  envelope: digest,
  /** Blob of its CycloneDX document. */
  sbom: digest.optional(),
})
export type BundleRelease = z.infer<typeof bundleRelease>

/** A file that travels along: the agent's program, a chart, an image in a tar. */
export const bundleAttachment = z.strictObject({
  name: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9][\w.+-]*(\/[A-Za-z0-9][\w.+-]*)*$/, 'not a plain file name'),
  mediaType: z.string().regex(/^[\w.+-]+\/[\w.+-]+$/),
  digest,
})
export type BundleAttachment = z.infer<typeof bundleAttachment>

/** What is signed: it names every blob of the bundle, so that one signature covers the file. */
export const bundleStatement = z.strictObject({
  schema: z.literal(bundleSchemaId),
  project: resourceName,
  createdAt: timestamp,
  /** After this an import is refused; left out, the keyset's expiry is the only one. */
  expiresAt: timestamp.optional(),
  /** The only deployment that may import it. */
  deployment: deploymentId.optional(),
  keyset: z.strictObject({
    version: sequence,
    digest,
    /** Root rotations since the first root, in order. */
    rotations: z.array(digest).max(maxRotations),
  }),
  /** Sorted by sequence. */
  releases: z.array(bundleRelease).max(maxReleases),
  /** Sorted by id. */
  commands: z.array(z.strictObject({ id: z.string().max(200), digest })).max(maxCommands),
  /** Sorted by name. */
  attachments: z.array(bundleAttachment),
  /** What the OCI index names beside the bundle itself. */
  index: z.array(z.strictObject({ ref: z.string().max(200), digest, size })),
  /** Releases that the site is known to have. */
  base: z.array(digest).max(maxReleases),
  /** Blobs that releases need and that are left out because the base has them. Sorted by digest. */
  omitted: z.array(blobEntry),
  /** Every blob but the bundle's own envelope and OCI manifest. Sorted by digest. */
  blobs: z.array(blobEntry),
})
export type BundleStatement = z.infer<typeof bundleStatement>

/** Shape, order, and that everything that is named is there. Throws `E_BUNDLE_INVALID`. */
export function checkBundleStatement(value: unknown): BundleStatement {
  const parsed = bundleStatement.safeParse(value)
  if (!parsed.success) throw bundleInvalid('it does not have the shape of a bundle', problemsOf(parsed.error, value))
  const statement = parsed.data
  sorted(statement.blobs, (blob) => blob.digest, 'blobs')
  sorted(statement.omitted, (blob) => blob.digest, 'omitted blobs')
  sorted(statement.attachments, (attachment) => attachment.name, 'attachments')
  sorted(statement.commands, (command) => command.id, 'commands')
  sorted(statement.releases, (release) => release.sequence, 'releases')
  const held = new Set(statement.blobs.map((blob) => blob.digest))
  if (statement.omitted.some((blob) => held.has(blob.digest))) throw bundleInvalid('it leaves out what it holds')
  if (statement.omitted.length > 0 && statement.base.length === 0) throw bundleInvalid('it is a delta to nothing')
  const chain = [...statement.keyset.rotations, statement.keyset.digest]
  if (new Set(chain).size !== chain.length) throw bundleInvalid('its chain of keys repeats itself')
  const named = [
    ...chain,
    ...statement.releases.flatMap((release) => [release.envelope, ...(release.sbom ? [release.sbom] : [])]),
    ...[...statement.commands, ...statement.attachments, ...statement.index].map((entry) => entry.digest),
  ]
  if (named.some((name) => !held.has(name))) throw bundleInvalid('it names a blob that it does not hold')
  return statement
}

/** Strictly ascending: one order for one content, and nothing twice. */
function sorted<T>(list: readonly T[], key: (item: T) => string | number, what: string): void {
  let last: string | number | undefined
  for (const item of list) {
    const next = key(item)
    if (last !== undefined && !(last < next)) throw bundleInvalid(`its ${what} are not in order, or one is there twice`)
    last = next
  }
}

export function bundleInvalid(why: string, problems: readonly Problem[] = []): LandfallError {
  return new LandfallError({
    code: 'E_BUNDLE_INVALID',
    message: `The bundle is not valid: ${why}.`,
    hint: 'Check that this is a file that `landfall bundle create` made, and get it again from where it was made.',
    problems,
  })
}
