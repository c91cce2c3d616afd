import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { agentChain, type Enrolment, genesis } from '@landfall/contract'
import { fingerprintOf, keyIdOf } from '@landfall/release'
import { canonicalJson } from '@landfall/stack'
import { appendAudit } from '../audit/append-audit.ts'
import { publishChanges } from '../changes/publish-changes.ts'
import type { Trx } from '../store/database.ts'
import { requireKeys } from './keys.ts'
import { alreadyEnrolled, enrolmentRefused } from './refusals.ts'

export interface Enrolled {
  deployment: string
  /** Fingerprint of the signing key. */
  key: string
  enrolledAt: Date
  /** False: these keys were bound before. */
  fresh: boolean
}

/**
 * Binds an agent's keys to its deployment, whatever road the document came. The same keys may ask again, also after their token was used
 * or has expired; others get in only after a new setup with `replace`. A binding begins the agent's counting anew: sessions, reports
 * and its audit chain.
 *
 * @param project only a deployment of this project, where the road belongs to one
 * @throws LandfallError `E_ENROLMENT_REFUSED`, `E_AGENT_ENROLLED`, `E_INVALID_REQUEST` (keys of another kind)
 */
export async function enrol(
  trx: Trx,
  document: Enrolment,
  of: { at: number; via: 'sync' | 'export'; project?: string },
): Promise<Enrolled> {
  const { deployment, keys } = document
  const row = await trx
    .selectFrom('agents')
    .innerJoin('deployments', 'deployments.id', 'agents.deployment')
    .select(['token_hash', 'token_expires_at', 'sign_key', 'seal_key', 'enrolled_at'])
    .select(['deployments.project', 'deployments.name'])
    .where('agents.deployment', '=', deployment)
    .where('deployments.deleted_at', 'is', null)
    .forUpdate('agents')
    .executeTakeFirst()
  const known = row && (of.project === undefined || of.project === row.project) ? row : undefined
  // The same work where there is nothing to compare with.
  const proved = proves(document, known?.token_hash ?? nobody)
  if (!known?.token_hash || !proved) throw enrolmentRefused()
  requireKeys(keys)
  const key = fingerprintOf(keys.sign)
  if (known.sign_key !== null) {
    if (known.sign_key !== keys.sign || known.seal_key !== keys.seal) throw alreadyEnrolled(known.name)
    return { deployment, key, enrolledAt: known.enrolled_at ?? new Date(of.at), fresh: false }
  }
  if (!known.token_expires_at || known.token_expires_at.getTime() <= of.at) throw enrolmentRefused()
  const enrolledAt = new Date(of.at)
  const keyId = keyIdOf(Buffer.from(keys.sign, 'base64'))
  await trx
    .updateTable('agents')
    .set({
      sign_key: keys.sign,
      seal_key: keys.seal,
      key_id: keyId,
      enrolled_at: enrolledAt,
      named: 0,
      named_before: null,
      nonce: null,
      restored: false,
      report_number: 0,
      audit_number: 0,
      audit_hash: genesis(agentChain(deployment)),
      trouble: '{}',
    })
    .where('deployment', '=', deployment)
    .execute()
  const { project } = known
  await publishChanges(trx, [{ project, kind: 'deployment', id: deployment, at: of.at }])
  await appendAudit(trx, [
    {
      project,
      deployment,
      type: 'agent.enrolled',
      actor: `agent:${known.name}`,
      message: `An agent was enrolled with the key ${key}.`,
      data: { key: keyId, fingerprint: key, via: of.via, agent: document.agent },
      at: of.at,
    },
  ])
  return { deployment, key, enrolledAt, fresh: true }
}

const nobody = createHash('sha256').update('no token has this hash').digest()

/** `proof` is HMAC-SHA256 over the canonical JSON of deployment and keys, under the SHA-256 of the token. */
function proves({ deployment, keys, proof }: Enrolment, tokenHash: Buffer): boolean {
  const right = createHmac('sha256', tokenHash).update(canonicalJson({ deployment, keys })).digest()
  const given = Buffer.from(proof, 'base64url')
  return given.length === right.length && timingSafeEqual(given, right)
}
