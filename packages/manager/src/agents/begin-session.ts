import { sessionPayloadType, sessionRequest, type session as sessionSchema } from '@landfall/contract'
import { type Envelope, envelopePayload, requireSignedBy } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import type { Database } from '../store/database.ts'
import { cloned, sessionEnded, sessionRefused } from './refusals.ts'
import { judgeSession } from './session-rule.ts'
import type { SessionTokens } from './session-token.ts'
import { noteTrouble } from './trouble.ts'

const sessionMs = 3_600_000

type Session = Omit<z.output<typeof sessionSchema>, 'poll'>

/**
 * Begins a session of the agent that signed the request, and thereby ends the one before. An agent has to name its last session: of two
 * with one key only one can. The same request again gets the same session, so that an answer may be lost on its way.
 *
 * @throws LandfallError `E_SESSION_REFUSED`, `E_AGENT_CLONED`, `E_SESSION_ENDED` (a request that came late)
 */
export async function beginSession(
  db: Database,
  tokens: SessionTokens,
  envelope: Envelope,
  at: number,
): Promise<Session & { deployment: string }> {
  const claimed = claimedDeployment(envelope)
  // The refusal of a clone is an answer that is kept: it must not take its own record back.
  const outcome = await db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom('agents')
      .innerJoin('deployments', 'deployments.id', 'agents.deployment')
      .select(['sign_key', 'key_id', 'session', 'named', 'named_before', 'nonce', 'restored'])
      .select(['deployments.project', 'deployments.name'])
      .where('agents.deployment', '=', claimed)
      .where('deployments.deleted_at', 'is', null)
      .forUpdate('agents')
      .executeTakeFirst()
    if (!row?.sign_key || !row.key_id) throw sessionRefused()
    const request = proved(envelope, { id: row.key_id, publicKey: row.sign_key })
    const { session, named, named_before: namedBefore, restored } = row
    // One column holds them all: a nonce has no space in it.
    const nonces = row.nonce?.split(' ') ?? []
    const verdict = judgeSession({ session, named, namedBefore, nonces, restored }, request)
    if (verdict.kind === 'late') throw sessionEnded()
    if (verdict.kind === 'cloned') {
      const refusal = cloned()
      await noteTrouble(trx, { deployment: claimed, code: refusal.code, message: refusal.message, at })
      return refusal
    }
    if (verdict.kind === 'again') return { number: session, project: row.project, name: row.name }
    const { memory } = verdict
    await trx
      .updateTable('agents')
      .set({
        session: memory.session,
        named: memory.named,
        named_before: memory.namedBefore,
        nonce: memory.nonces.join(' '),
        restored: memory.restored,
        session_at: new Date(at),
      })
      .where('deployment', '=', claimed)
      .execute()
    return { number: memory.session, project: row.project, name: row.name }
  })
  if (outcome instanceof LandfallError) throw outcome
  const { number, project, name } = outcome
  const expires = at + sessionMs
  const token = tokens.issue({ deployment: claimed, name, project, session: number, expires })
  const iso = (ms: number) => new Date(ms).toISOString()
  return { deployment: claimed, number, token, expiresAt: iso(expires), now: iso(at) }
}

/** Whose request it says it is: looked at only to find the key that proves it. */
function claimedDeployment(envelope: Envelope): string {
  try {
    return sessionRequest.parse(JSON.parse(Buffer.from(envelopePayload(envelope, sessionPayloadType)).toString()))
      .deployment
  } catch {
    throw sessionRefused()
  }
}

function proved(envelope: Envelope, key: { id: string; publicKey: string }) {
  const parse = (value: unknown) => sessionRequest.parse(value)
  try {
    return requireSignedBy(envelope, { payloadType: sessionPayloadType, what: 'request', key, parse })
  } catch {
    throw sessionRefused()
  }
}
