import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { fingerprintOf, openSealed, SigningKey } from '@landfall/release'
import type { AgentState } from '../state/agent-state.ts'

const name = 'identity'

interface StoredIdentity {
  /** PKCS#8 DER in base64; the value is sealed as every other. */
  sign: string
  seal: string
}

/** Who the agent is: two key pairs that it made itself and that never leave its sealed state. */
export interface Identity {
  readonly keys: { sign: string; seal: string }
  /** What two people compare when the agent enrols. */
  readonly fingerprint: string
  readonly signer: SigningKey
  /** Opens what was sealed to this agent. @throws LandfallError `E_SEAL_BROKEN` */
  open(sealed: string, context: string): Buffer
}

/** The identity of this state; made, and durable before it is answered, at the first start. */
export function openIdentity(state: AgentState): Identity {
  const stored = state.transaction(() => {
    const known = state.get(name) as StoredIdentity | undefined
    if (known) return known
    const made: StoredIdentity = { sign: exported('ed25519'), seal: exported('x25519') }
    state.put(name, made)
    return made
  })
  const signer = new SigningKey(keyFrom(stored.sign))
  const seal = keyFrom(stored.seal)
  return {
    keys: { sign: signer.publicKey, seal: publicOf(seal) },
    fingerprint: fingerprintOf(signer.publicKey),
    signer,
    open: (sealed, context) => openSealed(seal, sealed, context),
  }
}

const exported = (type: 'ed25519' | 'x25519'): string => {
  // The overloads know each name, not the union of both.
  const pair = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')
  return pair.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
}

const keyFrom = (text: string): KeyObject =>
  createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })

const publicOf = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
