import { resourceName } from '@landfall/stack'
import { z } from 'zod'
import type { Envelope } from '../dsse/envelope.ts'
import { keyKinds } from '../keys/signing-key.ts'

export const keysetSchemaId = 'landfall.dev/keyset/v1'
export const keysetPayloadType = 'application/vnd.landfall.keyset.v1+json'

/** 64 hex digits: SHA-256 of the SPKI DER. */
export const keyId = z.string().regex(/^[0-9a-f]{64}$/, 'not a key id')
/** UTC, as `Date.toISOString` writes it. */
export const timestamp = z.iso.datetime({ precision: 3 })

export const keysetKey = z.strictObject({
  id: keyId,
  kind: z.enum(keyKinds),
  /** SPKI DER in base64; must hash to `id`. */
  publicKey: z.string().max(200),
  /** Releases dated after this are not accepted from the key: how a key is retired. */
  notAfter: timestamp.optional(),
  /** Nothing is accepted from the key, whatever its date: how a key that may be stolen is dealt with. */
  revokedAt: timestamp.optional(),
  comment: z.string().max(200).optional(),
})
export type KeysetKey = z.infer<typeof keysetKey>

/** Which keys may sign a project's releases, signed by the root key (the model is TUF's). */
export const keyset = z.strictObject({
  schema: z.literal(keysetSchemaId),
  project: resourceName,
  /** Grows with every change; a runner never takes a lower one than it has seen. */
  version: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** After this a new keyset is needed: bounds how long revocations can be withheld from a runner. */
  expiresAt: timestamp,
  keys: z.array(keysetKey).min(1).max(200),
  /** Digest of the keyset that this one replaces. */
  previous: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
})
export type Keyset = z.infer<typeof keyset>
export type KeysetEnvelope = Envelope
