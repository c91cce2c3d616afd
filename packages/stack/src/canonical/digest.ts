// The default import: a bundler for browsers leaves `node:crypto` out, and a named one would then not link.
import crypto from 'node:crypto'
import type { Digest } from '../manifest/names.ts'
import { canonicalJson } from './canonical.ts'

/** `sha256:` + hex of the bytes; text is taken as UTF-8. */
export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${crypto.hash('sha256', bytes, 'hex')}`
}

/** The digest of a JSON value: SHA-256 over its canonical form (RFC 8785), so order of members does not matter. */
export function digestOf(value: unknown): Digest {
  return sha256(canonicalJson(value))
}
