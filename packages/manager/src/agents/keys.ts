import { createPublicKey } from 'node:crypto'
import type { Enrolment } from '@landfall/contract'
import { invalid } from '../http/parse-request.ts'

/** That both are what they are said to be, in the one spelling there is. @throws LandfallError `E_INVALID_REQUEST` */
export function requireKeys(keys: Enrolment['keys']): void {
  const wrong = [
    ...(is(keys.sign, 'ed25519') ? [] : [{ path: 'keys.sign', message: 'is not an Ed25519 public key' }]),
    ...(is(keys.seal, 'x25519') ? [] : [{ path: 'keys.seal', message: 'is not an X25519 public key' }]),
  ]
  if (wrong.length > 0) throw invalid(wrong)
}

function is(text: string, type: 'ed25519' | 'x25519'): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
    return key.asymmetricKeyType === type && key.export({ type: 'spki', format: 'der' }).toString('base64') === text
  } catch {
    return false
  }
}
