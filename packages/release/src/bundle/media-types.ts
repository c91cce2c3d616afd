import { sbomType } from '../statement/statement.ts'

/** What lies in a bundle, by the type that its OCI descriptors carry. Envelopes are DSSE's, as JSON. */
export const bundleTypes = {
  bundle: 'application/vnd.landfall.bundle.v1.dsse+json',
  release: 'application/vnd.landfall.release.v1.dsse+json',
  keyset: 'application/vnd.landfall.keyset.v1.dsse+json',
  rootRotation: 'application/vnd.landfall.root.v1.dsse+json',
  command: 'application/vnd.landfall.command.v1.dsse+json',
  sbom: sbomType,
} as const

/** `artifactType` of the OCI manifests that describe the bundle itself and its releases. */
export const artifactTypes = {
  bundle: 'application/vnd.landfall.bundle.v1',
  release: 'application/vnd.landfall.release.v1',
} as const
