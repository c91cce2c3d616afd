import { createHash } from 'node:crypto'
import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import { inOneTransaction } from './in-one-transaction.ts'
import type { Services } from './services.ts'

/** What a repeated call is answered with. */
interface Answer {
  status: number
  body: string
}

const keepMs = 24 * 3_600_000

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
 * Runs a call once per key: the same call again gets the first answer. What the call changes and its answer are committed together,
 * so wherever a manager dies, either both are there or neither, and the call may be sent again at once. Refusals are not kept, because
 * a refused call changed nothing and may be right later.
 *
 * Who runs it holds a lock of its transaction's: of two calls at the same moment one runs, and one that a manager left half done is free
 * as soon as the database has lost that manager.
 *
 * @throws LandfallError `E_IDEMPOTENCY_MISMATCH`, `E_IDEMPOTENCY_RUNNING`; whatever `run` throws
 */
export async function once(
  services: Services,
  call: Call,
  run: (services: Services) => Promise<Answer>,
): Promise<Answer> {
  const { keyring, clock } = services
  const hash = hashOf(call.content)
  const context = `idempotency:${call.caller}:${call.key}`
  return inOneTransaction(services, async (joined, trx) => {
    const lock = await sql<{ mine: boolean }>`
      select pg_try_advisory_xact_lock(hashtextextended(${context}, 0)) as mine`.execute(trx)
    if (!lock.rows[0]?.mine) throw running()
    const now = clock.now()
    const known = await trx
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('principal', '=', call.caller)
      .where('key', '=', call.key)
      .where('expires_at', '>', new Date(now))
      .executeTakeFirst()
    if (known && !known.request_hash.equals(hash)) throw mismatch()
    if (known?.status != null && known.response) {
      return { status: known.status, body: keyring.open(known.response, context).toString('utf8') }
    }
    const answer = await run(joined)
    const row = {
      request_hash: hash,
      status: answer.status,
      response: keyring.seal(answer.body, context),
      claimed_at: new Date(now),
      expires_at: new Date(now + keepMs),
    }
    await trx
      .insertInto('idempotency_keys')
      .values({ principal: call.caller, key: call.key, ...row })
      .onConflict((conflict) => conflict.columns(['principal', 'key']).doUpdateSet(row))
      .execute()
    return answer
  })
}

function mismatch(): LandfallError {
  return new LandfallError({
    code: 'E_IDEMPOTENCY_MISMATCH',
    message: 'This Idempotency-Key was used for another call.',
    hint: 'Use a new key for every intended change.',
  })
}

function running(): LandfallError {
  return new LandfallError({
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
