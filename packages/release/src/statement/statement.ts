import { digest, manifest, resourceName } from '@landfall/stack'
import { z } from 'zod'
import type { Envelope } from '../dsse/envelope.ts'
import { timestamp } from '../keyset/keyset.ts'

export const releaseSchemaId = 'landfall.dev/release/v1'
export const releasePayloadType = 'application/vnd.landfall.release.v1+json'

/** What a person calls a release: `1.4.0`, `2026-11-21.3`. Not ordered by: the sequence is. */
export const releaseVersion = z
  .string()
  .regex(/^[0-9A-Za-z]([0-9A-Za-z.+_-]{0,62}[0-9A-Za-z])?$/, 'use letters, digits, dots, dashes and plus, at most 64')

/** One built thing that a release needs: for a worker, the layer of its image, a tar with `index.mjs`. */
export const artifact = z.strictObject({
  resource: resourceName,
  digest,
  mediaType: z.string().max(200),
  /** Bytes of the blob that `digest` names. */
  size: z.number().int().nonnegative(),
})
export type Artifact = z.infer<typeof artifact>

/** CycloneDX as JSON: https://cyclonedx.org/specification/overview/ */
export const sbomType = 'application/vnd.cyclonedx+json'
/** A release's bill of materials: a blob beside its artifacts. It is signed with the release, and not needed to run it. */
export const sbomRef = z.strictObject({ digest, size: z.number().int().positive() })
export type SbomRef = z.infer<typeof sbomRef>

/** Where a release comes from. All of it is the builder's word, made unchangeable by the signature. */
export const provenance = z.strictObject({
  commit: z
    .string()
    .regex(/^[0-9a-f]{7,64}$/)
    .nullable(),
  /** Whether the working tree differed from the commit; null without git. */
  dirty: z.boolean().nullable(),
  /** Address of the repository, without credentials. */
  repository: z.string().max(500).nullable(),
  /** What built it, such as `landfall/0.1.0`. */
  builder: z.string().max(200),
  builtAt: timestamp,
  /** What went in: the config, the lock file, and for each worker the digest of its list of source files. Sorted by name. */
  inputs: z.array(z.strictObject({ name: z.string().max(200), digest })).max(1000),
})
export type Provenance = z.infer<typeof provenance>

/** What may be given from outside without a new release. */
export const settable = z.strictObject({
  /** Names of environment variables whose values come from inputs or secrets; sorted. */
  environment: z.array(z.string()).max(10_000),
  /** Every command that can be called, with the digest of its definition; sorted by resource and command. */
  commands: z.array(z.strictObject({ resource: resourceName, command: resourceName, digest })).max(10_000),
})
export type Settable = z.infer<typeof settable>

/** What is signed. Its digest, over its canonical form, is the release's digest. */
export const releaseStatement = z.strictObject({
  schema: z.literal(releaseSchemaId),
  project: resourceName,
  version: releaseVersion,
  channel: resourceName,
  /** One counter for the whole project, over all channels: a higher one is newer. Stops downgrades. */
  sequence: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  createdAt: timestamp,
  /** `code` of every worker is an artifact or an image: nothing is left to be built. */
  manifest,
  /** Sorted by resource. */
  artifacts: z.array(artifact).max(500),
  /** Absent where it was not built by `landfall build`. */
  sbom: sbomRef.optional(),
  provenance,
  settable,
})
export type ReleaseStatement = z.infer<typeof releaseStatement>
export type ReleaseEnvelope = Envelope
