import { createHash, createHmac } from 'node:crypto'
import type { Enrolment } from '@landfall/contract'
import { canonicalJson } from '@landfall/stack'
import type { Identity } from './identity.ts'

/**
 * The document that binds the agent's keys, the same over sync and in a first export. It proves that whoever made it has the token,
 * which itself does not travel.
 */
export function enrolmentDocument(of: {
  identity: Identity
  deployment: string
  token: string
  agent: Enrolment['agent']
}): Enrolment {
  const { identity, deployment, token, agent } = of
  const key = createHash('sha256').update(token).digest()
  const proof = createHmac('sha256', key)
    .update(canonicalJson({ deployment, keys: identity.keys }))
    .digest('base64url')
  return { deployment, keys: identity.keys, proof, agent }
}
