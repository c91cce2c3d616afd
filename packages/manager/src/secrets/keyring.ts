/**
 * Seals what must not be plain at rest. `context` names the row and column it belongs to (`secret:dep_1:stripe-key:3`):
 * it is bound as associated data, so that a sealed value moved to another row does not open.
 */
export interface Keyring {
  seal(plain: Uint8Array | string, context: string): Buffer
  /** @throws LandfallError `E_SEAL_BROKEN` when it was changed, moved, or sealed under a key that is not here. */
  open(sealed: Uint8Array, context: string): Buffer
  /** HMAC-SHA-256 in hex: equal for equal values of one context, and tells nothing of the value. */
  keyedHash(value: string, context: string): string
  /** 32 bytes for one purpose, the same on every manager of this database for ever: seed of a signing key, for example. */
  derive(purpose: string): Buffer
}
