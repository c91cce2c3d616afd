import type { Services } from '../http/services.ts'
import type { Database, Trx } from '../store/database.ts'
import { hashToken, newSecret } from './token.ts'

/** `__Host-` binds the cookie to this host and to https; browsers refuse the prefix on plain http. */
export function sessionCookieName(publicUrl: string): string {
  return publicUrl.startsWith('https:') ? '__Host-landfall' : 'landfall'
}

/** Starts a session and answers its `Set-Cookie` header. */
export async function startSession(
  db: Database | Trx,
  user: string,
  { clock, settings }: Pick<Services, 'clock' | 'settings'>,
): Promise<string> {
  const { secret, hash } = newSecret()
  const now = clock.now()
  const at = new Date(now)
  await db
    .insertInto('sessions')
    .values({ hash, user_id: user, created_at: at, last_seen_at: at, expires_at: new Date(now + settings.sessionMs) })
    .execute()
  return cookie(settings.publicUrl, secret, settings.sessionMs / 1000)
}

/** The `Set-Cookie` header that removes the session from the browser. */
export function endCookie(publicUrl: string): string {
  return cookie(publicUrl, '', 0)
}

function cookie(publicUrl: string, value: string, maxAgeSeconds: number): string {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : ''
  const age = Math.floor(maxAgeSeconds)
  return `${sessionCookieName(publicUrl)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}${secure}`
}

/** Hash of the session in a `Cookie` header, or null. */
export function sessionHash(header: string | null, publicUrl: string): Buffer | null {
  const name = `${sessionCookieName(publicUrl)}=`
  const value = header
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(name))
    ?.slice(name.length)
  return value ? hashToken(value) : null
}
