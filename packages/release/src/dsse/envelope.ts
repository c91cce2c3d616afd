import { canonicalJson, LandfallError, type Problem, problemsOf } from '@landfall/stack'
import { z } from 'zod'
import { parseStrictJson, tooLarge } from '../json/parse-strict.ts'
import type { Signer } from '../keys/signing-key.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { preAuthEncoding } from './pae.ts'

/** More signatures than anyone has; each costs a verification. */
const maxSignatures = 16
/** A manifest of 500 resources is below 2 MiB. */
export const maxPayloadBytes = 4 * 1024 * 1024
const maxEnvelopeBytes = 2 * maxPayloadBytes

/** DSSE's JSON envelope: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md */
export const envelopeSchema = z.strictObject({
  payload: z.string().max(maxEnvelopeBytes),
  payloadType: z.string().min(1).max(200),
  signatures: z
    .array(
      z.strictObject({
        /** Optional in DSSE; absent and empty are the same. A hint, never trusted. */
        keyid: z.string().max(200).default(''),
        sig: z.string().max(1000),
      }),
    )
    .max(maxSignatures),
})
export type Envelope = z.infer<typeof envelopeSchema>

/** Reads an envelope from text. Throws `E_JSON_INVALID`, `E_TOO_LARGE` or `E_ENVELOPE_INVALID`. */
export function parseEnvelope(text: string): Envelope {
  return checkEnvelope(parseStrictJson(text, { maxBytes: maxEnvelopeBytes, what: 'envelope' }))
}

/** Checks the shape of an envelope that came as an object. Throws `E_ENVELOPE_INVALID`. */
export function checkEnvelope(value: unknown): Envelope {
  const parsed = envelopeSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid('it does not have the shape of a DSSE envelope', problemsOf(parsed.error, value))
}

/** Signs `payload` with every signer, in order of key id, so that the same keys give the same envelope. */
export async function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signers: readonly Signer[],
): Promise<Envelope> {
  if (payload.length > maxPayloadBytes) throw tooLarge('payload', maxPayloadBytes)
  const message = preAuthEncoding(payloadType, payload)
  const sorted = [...signers].sort((a, b) => (a.id < b.id ? -1 : 1))
  const signatures = []
  for (const signer of sorted) signatures.push({ keyid: signer.id, sig: encodeBase64(await signer.sign(message)) })
  return checkEnvelope({ payload: encodeBase64(payload), payloadType, signatures })
}

/** The payload's bytes, with type and encoding checked but no signature. Throws `E_PAYLOAD_TYPE`, `E_ENVELOPE_INVALID`, `E_TOO_LARGE`. */
export function envelopePayload(envelope: Envelope, payloadType: string): Uint8Array {
  const { payload, payloadType: type } = checkEnvelope(envelope)
  if (type !== payloadType) {
    throw new LandfallError({
      code: 'E_PAYLOAD_TYPE',
      message: `The envelope holds ${JSON.stringify(type)}, not ${payloadType}.`,
      hint: 'Check that this is the right file: a release, a keyset and a root rotation are not interchangeable.',
    })
  }
  const bytes = decodeBase64(payload)
  if (!bytes) throw invalid('its payload is not base64')
  if (bytes.length > maxPayloadBytes) throw tooLarge('payload', maxPayloadBytes)
  return bytes
}

/**
 * Parses a payload whose signature has been checked and insists on canonical JSON: a payload that is spelled in another
 * way (white space, order, a key twice) was not written by us, and would have another digest with the same meaning.
 */
export function parsePayload(bytes: Uint8Array): unknown {
  let text: string
  let value: unknown
  let canonical: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
    canonical = canonicalJson(value)
  } catch {
    throw invalid('its payload is not JSON in UTF-8')
  }
  if (canonical !== text) throw invalid('its payload is not in canonical form')
  return value
}

function invalid(why: string, problems: readonly Problem[] = []): LandfallError {
  return new LandfallError({
    code: 'E_ENVELOPE_INVALID',
    message: `The envelope is not valid: ${why}.`,
    hint: 'Get it again from where it came; do not edit it by hand.',
    problems,
  })
}
