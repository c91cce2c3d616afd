import { randomBytes } from 'node:crypto'
import { sessionPayloadType } from '@landfall/contract'
import { type Envelope, signEnvelope } from '@landfall/release'
import { canonicalJson } from '@landfall/stack'
import type { AgentState } from '../state/agent-state.ts'
import type { Identity } from './identity.ts'

interface StoredSession {
  /** Number of the last session whose answer arrived. */
  previous: number
  /** Of a request whose answer has not arrived. */
  nonce: string | null
}

/** The state of the agent's sessions; what a retry needs is on the disk before the request leaves. */
export interface Sessions {
  /** The signed request: after a lost answer the same one again, which gets the same session. */
  request(): Promise<Envelope>
  began(number: number): void
}

export function openSessions(state: AgentState, identity: Identity, deployment: string): Sessions {
  const read = () => (state.get('session') as StoredSession | undefined) ?? { previous: 0, nonce: null }
  return {
    async request() {
      const stored = read()
      const nonce = stored.nonce ?? randomBytes(24).toString('base64url')
      if (stored.nonce === null) state.put('session', { ...stored, nonce })
      const content = canonicalJson({ deployment, previous: stored.previous, nonce })
      return signEnvelope(sessionPayloadType, Buffer.from(content), [identity.signer])
    },
    began: (number) => state.put('session', { previous: number, nonce: null } satisfies StoredSession),
  }
}
