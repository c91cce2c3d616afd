import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { canonicalJson, LandfallError } from '@landfall/stack'
import { z } from 'zod'
import type { Keyring } from '../secrets/keyring.ts'

const prefix = 'lf_session_'
const form = /^lf_session_([A-Za-z0-9_-]{20,2000})\.([A-Za-z0-9_-]{43})$/

const content = z.strictObject({
  deployment: z.string(),
  name: z.string(),
  project: z.string(),
  session: z.number().int(),
  /** Milliseconds since the epoch. */
  expires: z.number(),
})
export type SessionContent = z.infer<typeof content>

/** Whether it can be the token of an agent's session. */
export const looksLikeSession = (text: string): boolean => text.startsWith(prefix)

/**
 * Bearer tokens of agents' sessions: what they say stands in them, under an HMAC (SHA-256) of a key that every manager of the database
 * derives from its keyring. Reading one needs no database; that a later session has ended it is known by whoever knows the sessions.
 */
export class SessionTokens {
  // An object: Node takes four times as long over a key that is bytes.
  readonly #key: KeyObject

  constructor(keyring: Pick<Keyring, 'derive'>) {
    this.#key = createSecretKey(keyring.derive('agent sessions'))
  }

  issue(of: SessionContent): string {
    const body = Buffer.from(canonicalJson(of)).toString('base64url')
    return `${prefix}${body}.${this.#mac(body).toString('base64url')}`
  }

  /** @throws LandfallError `E_TOKEN_INVALID`, `E_TOKEN_EXPIRED` */
  read(token: string, now: number): SessionContent {
    const [, body, mac] = form.exec(token) ?? []
    if (!body || !mac || !timingSafeEqual(Buffer.from(mac, 'base64url'), this.#mac(body))) {
      throw refused('E_TOKEN_INVALID', 'The token is not one of this manager.')
    }
    const said = content.parse(JSON.parse(Buffer.from(body, 'base64url').toString()))
    if (said.expires > now) return said
    throw refused('E_TOKEN_EXPIRED', `The session's token expired at ${new Date(said.expires).toISOString()}.`)
  }

  // The prefix keeps the code from meaning anything elsewhere.
  #mac(body: string): Buffer {
    return createHmac('sha256', this.#key).update(`landfall agent session v1\n${body}`).digest()
  }
}

function refused(code: string, message: string): LandfallError {
  return new LandfallError({ code, message, hint: 'An agent begins a new session by itself.' })
}
