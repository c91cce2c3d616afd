import { createHash, randomBytes } from 'node:crypto'
import { type TokenKind, tokenKinds } from '@landfall/contract'

export interface NewToken {
  /** Shown once, never stored. */
  secret: string
  hash: Buffer
  /** Enough to recognise it by, far too little to guess the rest. */
  prefix: string
}

/** `lf_ci_` and 256 random bits. The prefix lets people and secret scanners see what it is. */
export function newToken(kind: TokenKind): NewToken {
  const secret = `lf_${kind}_${randomBytes(32).toString('base64url')}`
  return { secret, hash: hashToken(secret), prefix: secret.slice(0, `lf_${kind}_`.length + 4) }
}

/** What a one-time link or a session cookie carries. */
export function newSecret(): { secret: string; hash: Buffer } {
  const secret = randomBytes(32).toString('base64url')
  return { secret, hash: hashToken(secret) }
}

export function hashToken(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

const form = new RegExp(`^lf_(${tokenKinds.join('|')})_[A-Za-z0-9_-]{43}$`)

/** Whether it can be one of ours: what can't be is refused without asking the database. */
export function looksLikeToken(text: string): boolean {
  return form.test(text)
}
