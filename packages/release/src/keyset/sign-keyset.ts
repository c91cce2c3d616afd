import { LandfallError, type Problem, problemsOf } from '@landfall/stack'
import { decodeBase64 } from '../dsse/base64.ts'
import { signEnvelope } from '../dsse/envelope.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import { type KeyKind, keyIdOf, type PublicKey, type Signer } from '../keys/signing-key.ts'
import {
  type Keyset,
  type KeysetEnvelope,
  type KeysetKey,
  keyset,
  keysetPayloadType,
  keysetSchemaId,
} from './keyset.ts'

/** One line of a keyset for a public key. */
export function keysetEntry(
  kind: KeyKind,
  key: PublicKey,
  more: Pick<KeysetKey, 'notAfter' | 'revokedAt' | 'comment'> = {},
): KeysetKey {
  return { id: key.id, kind, publicKey: key.publicKey, ...more }
}

/** Checks and signs a keyset with the root key. Throws `E_KEYSET_INVALID`. */
export async function signKeyset(content: Omit<Keyset, 'schema'>, root: Signer): Promise<KeysetEnvelope> {
  const value = checkKeyset({ schema: keysetSchemaId, ...content })
  if (value.keys.some((key) => key.id === root.id)) {
    throw keysetInvalid('the root key is among its keys; the root signs keysets and nothing else')
  }
  return signEnvelope(keysetPayloadType, canonicalBytes(value), [root])
}

/** Shape, ids that match their keys, no id twice. Throws `E_KEYSET_INVALID`. */
export function checkKeyset(value: unknown): Keyset {
  const parsed = keyset.safeParse(value)
  if (!parsed.success) {
    throw keysetInvalid('it does not have the shape of a keyset', problemsOf(parsed.error, value))
  }
  const seen = new Set<string>()
  for (const key of parsed.data.keys) {
    if (seen.has(key.id)) throw keysetInvalid('a key is in it twice')
    seen.add(key.id)
    const der = decodeBase64(key.publicKey)
    if (!der || keyIdOf(der) !== key.id) throw keysetInvalid('the id of a key is not the digest of the key')
  }
  return parsed.data
}

export function keysetInvalid(why: string, problems: readonly Problem[] = []): LandfallError {
  return new LandfallError({
    code: 'E_KEYSET_INVALID',
    message: `The keyset is not valid: ${why}.`,
    hint: 'Sign a new one: `landfall keys rotate` and `landfall keys revoke` do.',
    problems,
  })
}
