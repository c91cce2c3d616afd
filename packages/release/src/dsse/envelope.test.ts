import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSigningKey } from '../keys/signing-key.ts'
import { codeOf } from '../testing/fixtures.ts'
import { decodeBase64 } from './base64.ts'
import { envelopePayload, maxPayloadBytes, parseEnvelope, parsePayload, signEnvelope } from './envelope.ts'
import { preAuthEncoding } from './pae.ts'
import { verifySignatures } from './verify-signature.ts'

const type = 'application/vnd.example+json'
const bytes = (text: string) => new TextEncoder().encode(text)

describe('pre-authentication encoding', () => {
  it("is the specification's for the specification's example", () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', bytes('hello world'))
    expect(Buffer.from(encoded).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  })

  it('counts bytes, not characters', () => {
    expect(Buffer.from(preAuthEncoding('é', bytes('日本'))).toString()).toBe('DSSEv1 2 é 6 日本')
  })
})

describe('base64', () => {
  it('takes both alphabets and gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (content) => {
        const buffer = Buffer.from(content)
        expect(decodeBase64(buffer.toString('base64'))).toEqual(content)
        expect(decodeBase64(buffer.toString('base64url'))).toEqual(content)
        const padded = buffer.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
        expect(decodeBase64(padded)).toEqual(content)
      }),
    )
  })

  it.each([
    ['white space', 'aGVs bG8='],
    ['a line end', 'aGVsbG8=\n'],
    ['leftover bits', 'aGVsbG9='],
    ['no padding in the standard alphabet', '+/8'],
    ['too much padding', 'aGVsbG8=='],
    ['both alphabets', '+_8='],
    ['padding alone', '='],
    ['text after padding', 'aGU=aGU='],
    ['another character', 'aGVsbG8*'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64(text)).toBeNull()
  })
})

describe('envelope', () => {
  it('round-trips and is the same for the same keys in any order', async () => {
    const [a, b] = [createSigningKey('vendor'), createSigningKey('vendor')]
    const one = await signEnvelope(type, bytes('{"a":1}'), [a, b])
    expect(await signEnvelope(type, bytes('{"a":1}'), [b, a])).toEqual(one)
    const read = parseEnvelope(JSON.stringify(one))
    expect(verifySignatures(read, type, [a, b]).map((result) => result.status)).toEqual(['valid', 'valid'])
    expect(parsePayload(envelopePayload(read, type))).toEqual({ a: 1 })
  })

  it('verifies without a key id, and never trusts one', async () => {
    const [a, b] = [createSigningKey('vendor'), createSigningKey('vendor')]
    const signed = await signEnvelope(type, bytes('{}'), [a])
    const sig = signed.signatures[0]?.sig ?? ''
    const status = (keyid: string) =>
      verifySignatures({ ...signed, signatures: [{ keyid, sig }] }, type, [b, a])[0]?.status
    expect(status('')).toBe('valid')
    expect(status(a.id)).toBe('valid')
    expect(status(b.id)).toBe('invalid')
    expect(status('0'.repeat(64))).toBe('unknown')
  })

  it('binds the payload type', async () => {
    const key = createSigningKey('vendor')
    const signed = await signEnvelope(type, bytes('{}'), [key])
    expect(await codeOf(() => verifySignatures(signed, 'application/other', [key]))).toBe('E_PAYLOAD_TYPE')
    const renamed = { ...signed, payloadType: 'application/other' }
    expect(verifySignatures(renamed, 'application/other', [key])[0]?.status).toBe('invalid')
  })

  it.each([
    ['a key twice', '{"payload":"e30=","payload":"e30=","payloadType":"t","signatures":[]}', 'E_JSON_INVALID'],
    [
      'a key twice, escaped',
      '{"payload":"e30=","payloa\\u0064":"e30=","payloadType":"t","signatures":[]}',
      'E_JSON_INVALID',
    ],
    [
      'a key twice below',
      '{"payload":"","payloadType":"t","signatures":[{"keyid":"a","sig":"b","sig":"c"}]}',
      'E_JSON_INVALID',
    ],
    ['no JSON', '{"payload"', 'E_JSON_INVALID'],
    ['an unknown field', '{"payload":"","payloadType":"t","signatures":[],"x":1}', 'E_ENVELOPE_INVALID'],
    ['a missing field', '{"payload":"","signatures":[]}', 'E_ENVELOPE_INVALID'],
    ['a number as payload', '{"payload":1,"payloadType":"t","signatures":[]}', 'E_ENVELOPE_INVALID'],
    [
      'too many signatures',
      JSON.stringify({ payload: '', payloadType: 't', signatures: Array.from({ length: 17 }, () => ({ sig: '' })) }),
      'E_ENVELOPE_INVALID',
    ],
    ['too much text', ' '.repeat(2 * maxPayloadBytes + 1), 'E_TOO_LARGE'],
  ])('refuses %s', async (_, text, code) => {
    expect(await codeOf(() => parseEnvelope(text))).toBe(code)
  })

  it('accepts the same key in different objects, and braces in strings', () => {
    const text = '{"payload":"{\\"a\\":","payloadType":"a,\\"a","signatures":[{"sig":"a"},{"sig":"b"}]}'
    expect(parseEnvelope(text).signatures).toHaveLength(2)
  })

  it.each([
    ['white space', '{"a": 1}'],
    ['another order', '{"b":1,"a":2}'],
    ['a key twice', '{"a":1,"a":2}'],
    ['a number in another spelling', '{"a":1.0}'],
    ['an escape that is not needed', '{"a":"\\u0061"}'],
    ['a byte order mark', '\ufeff{}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['no JSON', 'hello'],
    ['deep nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`],
  ])('refuses a payload with %s', async (_, text) => {
    expect(await codeOf(() => parsePayload(bytes(text)))).toBe('E_ENVELOPE_INVALID')
  })

  it('refuses a payload that is not UTF-8 or is too large', async () => {
    expect(await codeOf(() => parsePayload(new Uint8Array([0xff, 0xfe])))).toBe('E_ENVELOPE_INVALID')
    const key = createSigningKey('vendor')
    expect(await codeOf(() => signEnvelope(type, new Uint8Array(maxPayloadBytes + 1), [key]))).toBe('E_TOO_LARGE')
  })
})
