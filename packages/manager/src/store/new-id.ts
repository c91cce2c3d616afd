import { randomBytes } from 'node:crypto'

const letters = '0123456789abcdefghjkmnpqrstvwxyz'

/** `dep_` and 20 random letters (100 bits) of Crockford's base 32, in lower case. */
export function newId(prefix: string): string {
  return `${prefix}_${Array.from(randomBytes(20), (byte) => letters[byte & 31]).join('')}`
}
