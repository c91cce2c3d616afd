import { createHash, randomBytes } from 'node:crypto'

const letters = '0123456789abcdefghjkmnpqrstvwxyz'

/** `dep_` and 20 random letters (100 bits) of Crockford's base 32, in lower case. */
export function newId(prefix: string): string {
  return idFrom(prefix, randomBytes(20))
}

/** The same id for the same parts, so that what is made by a call can be told from what another one made. */
export function idOf(prefix: string, ...parts: readonly string[]): string {
  return idFrom(prefix, createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 20))
}

function idFrom(prefix: string, bytes: Uint8Array): string {
  return `${prefix}_${Array.from(bytes, (byte) => letters[byte & 31]).join('')}`
}
