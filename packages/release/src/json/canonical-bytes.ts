import { canonicalJson } from '@landfall/stack'

/** Canonical JSON (RFC 8785) as UTF-8 bytes: what is digested, stored and signed. */
export function canonicalBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value))
}
