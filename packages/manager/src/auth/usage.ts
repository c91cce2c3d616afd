import { sql } from 'kysely'
import type { Database } from '../store/database.ts'

/**
 * When tokens, sessions and people were last seen: gathered in memory and written every few seconds in one statement
 * each, so that a call costs no write. Bounded by the number of credentials that were used in between.
 */
export class Usage {
  readonly #tokens = new Map<string, number>()
  readonly #sessions = new Map<string, number>()
  readonly #users = new Map<string, number>()

  token(id: string, at: number): void {
    this.#tokens.set(id, at)
  }
  session(hashHex: string, at: number): void {
    this.#sessions.set(hashHex, at)
  }
  user(id: string, at: number): void {
    this.#users.set(id, at)
  }

  /** Writes what was gathered. `sessionMs`: how long a session lasts from its last use. */
  async flush(db: Database, sessionMs: number): Promise<void> {
    const tokens = take(this.#tokens)
    const sessions = take(this.#sessions)
    const users = take(this.#users)
    if (tokens.length > 0) {
      const [ids, times] = columns(tokens)
      await sql`update tokens set last_used_at = seen.at
        from unnest(${ids}::text[], ${times}::timestamptz[]) as seen (id, at)
        where tokens.id = seen.id and (last_used_at is null or last_used_at < seen.at)`.execute(db)
    }
    if (sessions.length > 0) {
      const [hashes, times] = columns(sessions)
      await sql`update sessions set last_seen_at = seen.at, expires_at = seen.at + make_interval(secs => ${sessionMs / 1000})
        from unnest(${hashes}::text[], ${times}::timestamptz[]) as seen (hash, at)
        where sessions.hash = decode(seen.hash, 'hex') and sessions.last_seen_at < seen.at`.execute(db)
    }
    if (users.length > 0) {
      const [ids, times] = columns(users)
      await sql`update users set last_seen_at = seen.at
        from unnest(${ids}::text[], ${times}::timestamptz[]) as seen (id, at)
        where users.id = seen.id and (last_seen_at is null or last_seen_at < seen.at)`.execute(db)
    }
  }
}

function take(map: Map<string, number>): [string, number][] {
  const entries = [...map]
  map.clear()
  return entries
}

function columns(entries: [string, number][]): [string[], string[]] {
  return [entries.map(([id]) => id), entries.map(([, at]) => new Date(at).toISOString())]
}
