import { createHash } from 'node:crypto'
import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import type { Services } from './services.ts'

/** What a repeated call is answered with. */
interface Answer {
  status: number
  body: string
}

const keepMs = 24 * 3_600_000
/** A call that has not ended after this died with its manager. */
const abandonedMs = 60_000

export interface Call {
  /** Who: keys of different callers never meet. */
  caller: string
  key: string
  /** Everything that makes the call what it is. */
  content: readonly (string | Uint8Array)[]
}

/** Throws `E_INVALID_REQUEST` on a key that is none. */
export function checkKey(key: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw new LandfallError({
    code: 'E_INVALID_REQUEST',
    message: 'The Idempotency-Key is empty, too long, or has characters that it cannot have.',
    hint: 'Send a random UUID per intended change.',
  })
}

/**
 * Runs a call once per key: the same call again gets the first answer. Refusals are not kept, because a refused call
 * changed nothing and may be right later. A call whose manager died in the middle is run again after a minute.
 *
 * @throws LandfallError `E_IDEMPOTENCY_MISMATCH`, `E_IDEMPOTENCY_RUNNING`; whatever `run` throws
 */
export async function once(services: Services, call: Call, run: () => Promise<Answer>): Promise<Answer> {
  const { db, keyring, clock } = services
  const hash = hashOf(call.content)
  const context = `idempotency:${call.caller}:${call.key}`
  const now = clock.now()
  const claim = {
    request_hash: hash,
    status: null,
    response: null,
    claimed_at: new Date(now),
    expires_at: new Date(now + keepMs),
  }
  const claimed = await db
    .insertInto('idempotency_keys')
    .values({ principal: call.caller, key: call.key, ...claim })
    .onConflict((conflict) =>
      conflict
        .columns(['principal', 'key'])
        .doUpdateSet(claim)
        .where((eb) =>
          eb.or([
            eb('idempotency_keys.expires_at', '<=', new Date(now)),
            eb.and([
              eb('idempotency_keys.status', 'is', null),
              eb('idempotency_keys.claimed_at', '<=', new Date(now - abandonedMs)),
              eb('idempotency_keys.request_hash', '=', hash),
            ]),
          ]),
        ),
    )
    .returning(sql<number>`1`.as('claimed'))
    .executeTakeFirst()
  const mine = (row: typeof db) =>
    row.updateTable('idempotency_keys').where('principal', '=', call.caller).where('key', '=', call.key)
  if (claimed) {
    try {
      const answer = await run()
      await mine(db)
        .set({ status: answer.status, response: keyring.seal(answer.body, context) })
        .execute()
      return answer
    } catch (error) {
      await db
        .deleteFrom('idempotency_keys')
        .where('principal', '=', call.caller)
        .where('key', '=', call.key)
        .where('status', 'is', null)
        .execute()
      throw error
    }
  }
  const row = await db
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('principal', '=', call.caller)
    .where('key', '=', call.key)
    .executeTakeFirst()
  if (row && !row.request_hash.equals(hash)) {
    throw new LandfallError({
      code: 'E_IDEMPOTENCY_MISMATCH',
      message: 'This Idempotency-Key was used for another call.',
      hint: 'Use a new key for every intended change.',
    })
  }
  if (row?.status != null && row.response) {
    return { status: row.status, body: keyring.open(row.response, context).toString('utf8') }
  }
  throw new LandfallError({
    code: 'E_IDEMPOTENCY_RUNNING',
    message: 'The same call is still running.',
    hint: 'Ask again in a moment with the same key.',
    retryable: true,
  })
}

/** Lengths are hashed too, so that two lists of parts are never taken for each other. */
function hashOf(parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) {
    const bytes = Buffer.from(part)
    hash.update(`${bytes.byteLength}:`).update(bytes)
  }
  return hash.digest()
}
