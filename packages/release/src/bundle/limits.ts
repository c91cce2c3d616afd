import { maxTarEntry } from './archive/tar-header.ts'

/** What a bundle may ask of the machine that reads it. */
export interface BundleLimits {
  /** The whole file, bytes. */
  maxBytes: number
  /** Blobs in it, without its own description. */
  maxEntries: number
  /** One blob, bytes. */
  maxBlobBytes: number
}

export const defaultLimits: BundleLimits = {
  maxBytes: 64 * 1024 ** 3,
  maxEntries: 12_000,
  maxBlobBytes: maxTarEntry,
}

/** What is held in memory whole: one envelope, manifest or index. */
export const maxDocumentBytes = 8 * 1024 * 1024
export const maxRotations = 16
export const maxReleases = 100
export const maxCommands = 1000
