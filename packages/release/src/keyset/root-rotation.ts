import { LandfallError, resourceName } from '@landfall/stack'
import { z } from 'zod'
import { decodeBase64 } from '../dsse/base64.ts'
import { type Envelope, envelopePayload, parsePayload, signEnvelope } from '../dsse/envelope.ts'
import { verifySignatures } from '../dsse/verify-signature.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import { keyIdOf, type PublicKey, type Signer } from '../keys/signing-key.ts'
import { keyId, timestamp } from './keyset.ts'
import { requireSignatureOf } from './verify-keyset.ts'

export const rootRotationSchemaId = 'landfall.dev/root/v1'
export const rootRotationPayloadType = 'application/vnd.landfall.root.v1+json'

/** Says that a new root key takes the place of the old one. Signed by both: the old one allows it, the new one is really held. */
export const rootRotation = z.strictObject({
  schema: z.literal(rootRotationSchemaId),
  project: resourceName,
  /** The first root has version 1; each rotation adds one, so that none can be left out. */
  version: z.number().int().min(2),
  previous: keyId,
  root: z.strictObject({ id: keyId, publicKey: z.string().max(200) }),
  createdAt: timestamp,
})
export type RootRotation = z.infer<typeof rootRotation>

/** A root as a runner pins it. Version 0: it was pinned by its key alone, and its number is read from the rotations that come. */
export interface PinnedRoot extends PublicKey {
  readonly version: number
}

/**
 * Hands the root over, signed by both keys.
 *
 * @param options.version of the root that is replaced
 * @param options.now milliseconds since the epoch
 */
export async function rotateRoot(options: {
  project: string
  from: Signer
  version: number
  to: Signer
  now: number
}): Promise<Envelope> {
  const value: RootRotation = {
    schema: rootRotationSchemaId,
    project: options.project,
    version: options.version + 1,
    previous: options.from.id,
    root: { id: options.to.id, publicKey: options.to.publicKey },
    createdAt: new Date(options.now).toISOString(),
  }
  return signEnvelope(rootRotationPayloadType, canonicalBytes(rootRotation.parse(value)), [options.from, options.to])
}

/**
 * Follows rotations from the pinned root, in order, and gives the root to pin from now on. Rotations already followed
 * (of the pinned version or lower) are passed over. Throws `E_ROOT_ROTATION` or the errors of a bad signature.
 */
export function followRoot(pinned: PinnedRoot, rotations: readonly Envelope[], project: string): PinnedRoot {
  let root = pinned.version === 0 ? numbered(pinned, rotations) : pinned
  const from = root.version
  for (const envelope of rotations) {
    const parsed = rootRotation.safeParse(parsePayload(envelopePayload(envelope, rootRotationPayloadType)))
    if (!parsed.success) throw refused('it does not have the shape of a root rotation')
    const next = parsed.data
    if (next.version <= from) continue
    if (next.project !== project) throw refused(`it is for the project ${next.project}`)
    if (next.version !== root.version + 1)
      throw refused(`version ${root.version + 1} is missing before ${next.version}`)
    if (next.previous !== root.id) throw refused('it does not follow from the pinned root')
    const der = decodeBase64(next.root.publicKey)
    if (!der || keyIdOf(der) !== next.root.id) throw refused('the id of its key is not the digest of the key')
    const results = verifySignatures(envelope, rootRotationPayloadType, [root, next.root])
    requireSignatureOf(root, results, 'root rotation')
    requireSignatureOf(next.root, results, 'root rotation')
    root = { ...next.root, version: next.version }
  }
  return root
}

/** The number of a root in its rotations. They are only read here: its key stays the pinned one, and the next is signed by it. */
function numbered(root: PinnedRoot, rotations: readonly Envelope[]): PinnedRoot {
  for (const envelope of rotations) {
    const parsed = rootRotation.safeParse(parsePayload(envelopePayload(envelope, rootRotationPayloadType)))
    if (parsed.success && parsed.data.root.id === root.id) return { ...root, version: parsed.data.version }
  }
  return { ...root, version: 1 }
}

function refused(why: string): LandfallError {
  return new LandfallError({
    code: 'E_ROOT_ROTATION',
    message: `The root rotation is refused: ${why}.`,
    hint: 'Give every rotation since setup, in order, as the vendor published them.',
  })
}
