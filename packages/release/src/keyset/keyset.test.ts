import { describe, expect, it } from 'vitest'
import { signEnvelope } from '../dsse/envelope.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import { createRootKey, createSigningKey } from '../keys/signing-key.ts'
import { codeOf, day, iso, now, world } from '../testing/fixtures.ts'
import { keysetPayloadType, keysetSchemaId } from './keyset.ts'
import { followRoot, rotateRoot } from './root-rotation.ts'
import { keysetEntry, signKeyset } from './sign-keyset.ts'
import { keysetDigest, verifyKeyset } from './verify-keyset.ts'

describe('keyset', () => {
  it('is accepted from the pinned root, at its version and above', async () => {
    const { root, keysetEnvelope } = await world()
    expect(verifyKeyset(keysetEnvelope, { root, minVersion: 3, now, project: 'acme' }).version).toBe(3)
    expect(await codeOf(() => verifyKeyset(keysetEnvelope, { root, minVersion: 4, now }))).toBe('E_KEYSET_OLDER')
  })

  it('expires', async () => {
    const { root, keysetEnvelope } = await world()
    const at = (ms: number) => codeOf(() => verifyKeyset(keysetEnvelope, { root, minVersion: 1, now: ms }))
    expect(await at(now + 90 * day)).toBe('none')
    expect(await at(now + 90 * day + 1)).toBe('E_KEYSET_EXPIRED')
    const late = { root, minVersion: 1, now: now + 91 * day, allowExpired: true }
    expect(verifyKeyset(keysetEnvelope, late).version).toBe(3)
  })

  it('is refused for another project, from another root, without a signature', async () => {
    const { root, keysetEnvelope, key } = await world()
    const options = { root, minVersion: 1, now }
    expect(await codeOf(() => verifyKeyset(keysetEnvelope, { ...options, project: 'other' }))).toBe('E_KEYSET_PROJECT')
    expect(await codeOf(() => verifyKeyset(keysetEnvelope, { ...options, root: createRootKey() }))).toBe(
      'E_ROOT_UNTRUSTED',
    )
    const bare = { ...keysetEnvelope, signatures: [] }
    expect(await codeOf(() => verifyKeyset(bare, options))).toBe('E_SIGNATURE_MISSING')
    // A key of the keyset itself can't sign the next keyset.
    const payload = Buffer.from(keysetEnvelope.payload, 'base64')
    const own = await signEnvelope(keysetPayloadType, payload, [key])
    expect(await codeOf(() => verifyKeyset(own, options))).toBe('E_ROOT_UNTRUSTED')
    // Nor by naming the root's id.
    const lie = { ...own, signatures: own.signatures.map(({ sig }) => ({ keyid: root.id, sig })) }
    expect(await codeOf(() => verifyKeyset(lie, options))).toBe('E_SIGNATURE_INVALID')
  })

  it('is refused with any byte of payload or signature changed', async () => {
    const { root, keysetEnvelope } = await world()
    const payload = Buffer.from(keysetEnvelope.payload, 'base64')
    for (let at = 0; at < payload.length; at++) {
      const changed = Buffer.from(payload)
      changed[at] = (changed[at] ?? 0) ^ 1
      const envelope = { ...keysetEnvelope, payload: changed.toString('base64') }
      expect(await codeOf(() => verifyKeyset(envelope, { root, minVersion: 1, now }))).toBe('E_SIGNATURE_INVALID')
    }
    const signature = Buffer.from(keysetEnvelope.signatures[0]?.sig ?? '', 'base64')
    for (let at = 0; at < signature.length; at++) {
      const changed = Buffer.from(signature)
      changed[at] = (changed[at] ?? 0) ^ 0x80
      const signatures = [{ keyid: root.id, sig: changed.toString('base64') }]
      const envelope = { ...keysetEnvelope, signatures }
      expect(await codeOf(() => verifyKeyset(envelope, { root, minVersion: 1, now }))).toBe('E_SIGNATURE_INVALID')
    }
  })

  it('is refused by content that the root should not have signed', async () => {
    const [root, key] = [createRootKey(), createSigningKey('vendor')]
    const good = {
      schema: keysetSchemaId,
      project: 'acme',
      version: 1,
      expiresAt: iso(now + day),
      keys: [keysetEntry('vendor', key)],
    }
    const verify = async (content: unknown) => {
      const envelope = await signEnvelope(keysetPayloadType, canonicalBytes(content), [root])
      return codeOf(() => verifyKeyset(envelope, { root, minVersion: 1, now }))
    }
    expect(await verify(good)).toBe('none')
    const other = createSigningKey('vendor')
    for (const bad of [
      { ...good, keys: [{ ...keysetEntry('vendor', key), id: other.id }] },
      { ...good, keys: [keysetEntry('vendor', key), keysetEntry('manager', key)] },
      { ...good, keys: [] },
      { ...good, keys: [{ ...keysetEntry('vendor', key), kind: 'root' }] },
      { ...good, version: 0 },
      { ...good, version: '1' },
      { ...good, expiresAt: 'tomorrow' },
      { ...good, unknown: true },
    ]) {
      expect(await verify(bad)).toBe('E_KEYSET_INVALID')
    }
    const withRoot = { project: 'acme', version: 1, expiresAt: iso(now + day), keys: [keysetEntry('vendor', root)] }
    expect(await codeOf(() => signKeyset(withRoot, root))).toBe('E_KEYSET_INVALID')
  })

  it('has a digest that the next one names', async () => {
    const { root, keysetEnvelope, key } = await world()
    const next = {
      project: 'acme',
      version: 4,
      expiresAt: iso(now + day),
      keys: [keysetEntry('vendor', key)],
      previous: keysetDigest(keysetEnvelope),
    }
    const keyset = verifyKeyset(await signKeyset(next, root), { root, minVersion: 3, now })
    expect(keyset.previous).toMatch(/^sha256:[0-9a-f]{64}$/)
  })
})

describe('root rotation', () => {
  it('is followed step by step, and only in order', async () => {
    const [first, second, third] = [createRootKey(), createRootKey(), createRootKey()]
    const pin = { ...first.toPublic(), version: 1 }
    const one = await rotateRoot({ project: 'acme', from: first, version: 1, to: second, now })
    const two = await rotateRoot({ project: 'acme', from: second, version: 2, to: third, now })
    expect(followRoot(pin, [one, two], 'acme')).toEqual({ ...third.toPublic(), version: 3 })
    expect(followRoot({ ...second.toPublic(), version: 2 }, [one, two], 'acme').id).toBe(third.id)
    expect(followRoot(pin, [], 'acme')).toEqual(pin)
    // Pinned by its key alone: the rotations say which root it is, and are believed no further than its signature reaches.
    expect(followRoot({ ...second.toPublic(), version: 0 }, [one, two], 'acme')).toMatchObject({
      id: third.id,
      version: 3,
    })
    expect(followRoot({ ...first.toPublic(), version: 0 }, [one, two], 'acme').id).toBe(third.id)
    expect(followRoot({ ...third.toPublic(), version: 0 }, [one, two], 'acme')).toMatchObject({
      id: third.id,
      version: 3,
    })
    expect(await codeOf(() => followRoot({ ...first.toPublic(), version: 0 }, [two], 'acme'))).toBe('E_ROOT_ROTATION')
    expect(await codeOf(() => followRoot(pin, [two], 'acme'))).toBe('E_ROOT_ROTATION')
    expect(await codeOf(() => followRoot(pin, [one], 'other'))).toBe('E_ROOT_ROTATION')
  })

  it('needs both signatures', async () => {
    const [first, second, thief] = [createRootKey(), createRootKey(), createRootKey()]
    const pin = { ...first.toPublic(), version: 1 }
    const good = await rotateRoot({ project: 'acme', from: first, version: 1, to: second, now })
    for (const id of [first.id, second.id]) {
      const half = { ...good, signatures: good.signatures.filter((signature) => signature.keyid !== id) }
      expect(await codeOf(() => followRoot(pin, [half], 'acme'))).toBe('E_ROOT_UNTRUSTED')
    }
    const forged = await rotateRoot({ project: 'acme', from: thief, version: 1, to: second, now })
    expect(await codeOf(() => followRoot(pin, [forged], 'acme'))).toBe('E_ROOT_ROTATION')
    const payload = Buffer.from(good.payload, 'base64').toString().replace('acme', 'acmf')
    const changed = { ...good, payload: Buffer.from(payload).toString('base64') }
    expect(await codeOf(() => followRoot(pin, [changed], 'acmf'))).toBe('E_SIGNATURE_INVALID')
  })
})
