import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openSealed, sealTo } from './sealed-box.ts'

const pair = generateKeyPairSync('x25519')
const text = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

describe('sealed box', () => {
  it('opens what was sealed to the key, for the purpose it was sealed for', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.string(), (plain, context) => {
        expect(openSealed(pair.privateKey, sealTo(text, plain, context), context)).toEqual(Buffer.from(plain))
      }),
      { numRuns: 50 },
    )
  })

  it('refuses another key and another purpose', () => {
    const other = generateKeyPairSync('x25519')
    const sealed = sealTo(text, 'x', 'secret:dep_1:key:1')
    expect(() => openSealed(other.privateKey, sealed, 'secret:dep_1:key:1')).toThrow('does not open')
    expect(() => openSealed(pair.privateKey, sealed, 'secret:dep_1:key:2')).toThrow('does not open')
  })

  it('refuses a box with any byte changed, or cut short', () => {
    const bytes = Buffer.from(sealTo(text, 'a secret', 'c'), 'base64')
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => openSealed(pair.privateKey, changed.toString('base64'), 'c'), `byte ${at}`).toThrow('does not open')
      expect(() => openSealed(pair.privateKey, bytes.subarray(0, at).toString('base64'), 'c')).toThrow('does not open')
    }
  })

  it('makes another box each time', () => {
    expect(sealTo(text, 'x', 'c')).not.toBe(sealTo(text, 'x', 'c'))
  })

  it('takes no key of another kind', () => {
    const key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    expect(() => sealTo(key, 'x', 'c')).toThrow('not an X25519 key')
  })
})
