import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { PasswordHash } from '../store/tables/accounts.ts'

/** OWASP's second choice (N = 2^16, r = 8, p = 2): 64 MiB, so that a few logins at once do not fill a small machine. */
const now = { n: 65_536, r: 8, p: 2 }
const keyBytes = 32

/** scrypt with a fresh salt; the parameters are stored beside it, so that they can be raised later. */
export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16)
  const hash = await derive(password, salt, now)
  return { ...now, salt: salt.toString('base64'), hash: hash.toString('base64') }
}

/**
 * Whether the password is right. Takes as long for an account that does not exist (`null`), so that the time tells
 * nobody which addresses have accounts.
 */
export async function checkPassword(password: string, stored: PasswordHash | null): Promise<boolean> {
  const against = stored ?? {
    ...now,
    salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
    hash: Buffer.alloc(keyBytes).toString('base64'),
  }
  const hash = await derive(password, Buffer.from(against.salt, 'base64'), against)
  const equal = timingSafeEqual(hash, Buffer.from(against.hash, 'base64'))
  return equal && stored !== null
}

function derive(password: string, salt: Buffer, cost: { n: number; r: number; p: number }): Promise<Buffer> {
  const options = { N: cost.n, r: cost.r, p: cost.p, maxmem: 256 * cost.n * cost.r }
  return new Promise((resolve, reject) => {
    // Normalised, so that the same password typed on another keyboard is the same.
    scrypt(password.normalize('NFKC'), salt, keyBytes, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
