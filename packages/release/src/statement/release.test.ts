import { describe, expect, it } from 'vitest'
import type { Verifier } from '../../../engine/src/ports/sources.ts'
import { signEnvelope } from '../dsse/envelope.ts'
import { canonicalBytes } from '../json/canonical-bytes.ts'
import { createRootKey, createSigningKey } from '../keys/signing-key.ts'
import { keysetEntry } from '../keyset/sign-keyset.ts'
import { builtManifest, codeOf, day, iso, now, statementOf, type World, world } from '../testing/fixtures.ts'
import { releaseDigest, signRelease, statementDigest } from './sign-release.ts'
import { type ReleaseEnvelope, releasePayloadType } from './statement.ts'
import { createVerifier } from './verifier.ts'
import { releaseSigners, type VerifyReleaseOptions, verifyRelease } from './verify-release.ts'

const verify = (one: World, change: Partial<VerifyReleaseOptions> = {}, envelope: ReleaseEnvelope = one.envelope) =>
  verifyRelease(envelope, { keyset: one.keyset, trust: ['vendor'], project: 'acme', now, ...change })
const codeWith = (one: World, change: Partial<VerifyReleaseOptions> = {}, envelope?: ReleaseEnvelope) =>
  codeOf(() => verify(one, change, envelope))

describe('a release', () => {
  it('is proved, and is the same statement that was signed', async () => {
    const one = await world()
    expect(verify(one)).toEqual(statementOf())
    expect(releaseDigest(one.envelope)).toBe(statementDigest(statementOf()))
    expect(await signRelease(statementOf(), one.key)).toEqual(one.envelope)
  })

  it('lists what may be set from outside', () => {
    expect(statementOf().settable).toEqual({ environment: ['STRIPE_KEY'], commands: [] })
  })

  it('is refused with a code of its own for each reason', async () => {
    const one = await world()
    expect(await codeWith(one, {}, { ...one.envelope, signatures: [] })).toBe('E_SIGNATURE_MISSING')
    expect(await codeWith(one, {}, await signRelease(statementOf(), createSigningKey('vendor')))).toBe('E_KEY_UNKNOWN')
    expect(await codeWith(one, { trust: ['manager', 'agent'] })).toBe('E_KEY_KIND_UNTRUSTED')
    expect(await codeWith(one, { trust: [] })).toBe('E_KEY_KIND_UNTRUSTED')
    expect(await codeWith(one, { now: now + 91 * day })).toBe('E_KEYSET_EXPIRED')
    expect(await codeWith(one, { project: 'other' })).toBe('E_KEYSET_PROJECT')
    expect(await codeWith(one, { floor: 7 })).toBe('none')
    expect(await codeWith(one, { floor: 8 })).toBe('E_SEQUENCE_OLDER')
    expect(await codeWith(one, { digest: releaseDigest(one.envelope) })).toBe('none')
    expect(await codeWith(one, { digest: `sha256:${'0'.repeat(64)}` })).toBe('E_RELEASE_DIGEST')
    expect(await codeWith(await world({ kind: 'manager' }))).toBe('E_KEY_KIND_UNTRUSTED')
    expect(await codeWith(await world({ kind: 'manager' }), { trust: ['vendor', 'manager'] })).toBe('none')
  })

  it('of another project is refused even under a keyset that is ours', async () => {
    const one = await world()
    const manifest = { ...builtManifest(), project: 'other' }
    expect(await codeWith(one, {}, await signRelease(statementOf(manifest), one.key))).toBe('E_RELEASE_PROJECT')
  })

  it('is refused from a revoked key at any date, from a retired key by its date', async () => {
    expect(await codeWith(await world({ entry: { revokedAt: iso(now + day) } }))).toBe('E_KEY_REVOKED')
    expect(await codeWith(await world({ entry: { notAfter: iso(now) } }))).toBe('none')
    expect(await codeWith(await world({ entry: { notAfter: iso(now - 1) } }))).toBe('E_KEY_EXPIRED')
  })

  it('that was accepted before stays loadable when time has passed, but not when it was changed', async () => {
    const revoked = await world({ entry: { revokedAt: iso(now), notAfter: iso(now - 1) } })
    expect(await codeWith(revoked, { accepted: true, now: now + 900 * day })).toBe('none')
    expect(await codeWith(revoked, { accepted: true, trust: ['manager'] })).toBe('E_KEY_KIND_UNTRUSTED')
    const other = await signRelease(statementOf(), createSigningKey('vendor'))
    expect(await codeWith(revoked, { accepted: true }, other)).toBe('E_KEY_UNKNOWN')
  })

  it('needs as many different trusted keys as the threshold says', async () => {
    const second = createSigningKey('vendor')
    const one = await world({ others: [keysetEntry('vendor', second)] })
    const both = await signRelease(statementOf(), [one.key, second])
    expect(await codeWith(one, { threshold: 2 }, both)).toBe('none')
    expect(await codeWith(one, { threshold: 3 }, both)).toBe('E_SIGNATURE_THRESHOLD')
    expect(await codeWith(one, { threshold: 2 })).toBe('E_SIGNATURE_THRESHOLD')
    expect(await codeWith(one, { threshold: 0 }, { ...one.envelope, signatures: [] })).toBe('E_SIGNATURE_MISSING')
    const twice = { ...one.envelope, signatures: [...one.envelope.signatures, ...one.envelope.signatures] }
    expect(await codeWith(one, { threshold: 2 }, twice)).toBe('E_SIGNATURE_THRESHOLD')
    // One good signature is enough beside a bad one: signatures only ever add.
    const withBad = { ...one.envelope, signatures: [{ keyid: second.id, sig: 'AAAA' }, ...one.envelope.signatures] }
    expect(await codeWith(one, {}, withBad)).toBe('none')
  })

  it('names only who really signed', async () => {
    const other = createSigningKey('vendor')
    const one = await world({ kind: 'manager', others: [keysetEntry('vendor', other)] })
    const sig = one.envelope.signatures[0]?.sig ?? ''
    const pretending = { ...one.envelope, signatures: [...one.envelope.signatures, { keyid: other.id, sig }] }
    expect(releaseSigners(pretending, one.keyset)).toEqual([{ keyid: one.key.id, kind: 'manager' }])
    // And what it pretends does not count as trust either.
    expect(await codeWith(one, { trust: ['vendor'] }, pretending)).toBe('E_KEY_KIND_UNTRUSTED')
  })

  it('is refused with any byte changed', async () => {
    const one = await world()
    const payload = Buffer.from(one.envelope.payload, 'base64')
    for (let at = 0; at < payload.length; at++) {
      const changed = Buffer.from(payload)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const envelope = { ...one.envelope, payload: changed.toString('base64') }
      expect(await codeWith(one, {}, envelope)).toBe('E_SIGNATURE_INVALID')
    }
    const signature = Buffer.from(one.envelope.signatures[0]?.sig ?? '', 'base64')
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const changed = Buffer.from(signature)
      const at = bit >> 3
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7))
      const envelope = { ...one.envelope, signatures: [{ keyid: one.key.id, sig: changed.toString('base64') }] }
      expect(await codeWith(one, {}, envelope)).toBe('E_SIGNATURE_INVALID')
    }
  })

  it('is refused when what is signed is of another type, or not spelled canonically', async () => {
    const one = await world()
    const keyset = one.keysetEnvelope
    expect(await codeWith(one, {}, keyset)).toBe('E_PAYLOAD_TYPE')
    const asRelease = { ...keyset, payloadType: releasePayloadType }
    expect(await codeWith(one, {}, asRelease)).toBe('E_KEY_UNKNOWN')
    const spaced = await signEnvelope(releasePayloadType, Buffer.from(JSON.stringify(statementOf(), null, 1)), [
      one.key,
    ])
    expect(await codeWith(one, {}, spaced)).toBe('E_ENVELOPE_INVALID')
    expect(await codeWith(one, {}, { ...one.envelope, payload: `${one.envelope.payload}\n` })).toBe(
      'E_ENVELOPE_INVALID',
    )
  })

  it('is refused when its parts disagree', async () => {
    const one = await world()
    const good = statementOf()
    const artifact = good.artifacts[0]
    const refuse = async (value: unknown) =>
      codeWith(one, {}, await signEnvelope(releasePayloadType, canonicalBytes(value), [one.key]))
    expect(await refuse(good)).toBe('none')
    const other = `sha256:${'b'.repeat(64)}`
    expect(await refuse({ ...good, artifacts: [{ ...artifact, digest: other }] })).toBe('E_ARTIFACT_DIGEST')
    expect(await refuse({ ...good, artifacts: [{ ...artifact, size: 1 }] })).toBe('E_ARTIFACT_DIGEST')
    expect(await refuse({ ...good, artifacts: [] })).toBe('E_ARTIFACT_DIGEST')
    expect(await refuse({ ...good, artifacts: [artifact, { ...artifact, resource: 'extra' }] })).toBe(
      'E_RELEASE_INVALID',
    )
    expect(await refuse({ ...good, artifacts: [artifact, artifact] })).toBe('E_RELEASE_INVALID')
    expect(await refuse({ ...good, settable: { environment: ['ANY'], commands: [] } })).toBe('E_RELEASE_INVALID')
    expect(await refuse({ ...good, project: 'other' })).toBe('E_RELEASE_INVALID')
    expect(await refuse({ ...good, sequence: 0 })).toBe('E_RELEASE_INVALID')
    expect(await refuse({ ...good, sequence: 1.5 })).toBe('E_RELEASE_INVALID')
    expect(await refuse({ ...good, unknown: 1 })).toBe('E_RELEASE_INVALID')
    expect(await refuse({ ...good, schema: 'landfall.dev/release/v2' })).toBe('E_RELEASE_INVALID')
    const api = good.manifest.resources[0]
    const sourced = { ...api, code: { kind: 'source', entry: './api.ts' } }
    const unbuilt = { ...good.manifest, resources: [sourced, ...good.manifest.resources.slice(1)] }
    expect(await refuse({ ...good, manifest: unbuilt, artifacts: [] })).toBe('E_RELEASE_INVALID')
    const loading = { ...api, env: { ...(api && 'env' in api ? api.env : {}), NODE_OPTIONS: { secret: 'stripe-key' } } }
    const manifest = { ...good.manifest, resources: [loading, ...good.manifest.resources.slice(1)] }
    expect(await refuse({ ...good, manifest })).toBe('E_ENVIRONMENT_REFUSED')
  })
})

describe('the verifier', () => {
  const deployment = { id: 'd-1', project: 'acme' }
  const setUp = (one: World, change: Partial<Parameters<typeof createVerifier>[0]> = {}) =>
    createVerifier({
      envelopes: async (digest) => (digest === releaseDigest(one.envelope) ? one.envelope : null),
      keyset: async () => one.keysetEnvelope,
      root: async () => one.root,
      clock: { now: () => now },
      ...change,
    })

  it("has the shape of the engine's port, and gives a proved release", async () => {
    const one = await world()
    const verifier = setUp(one)
    // The real port takes more of a deployment than is needed here.
    const port: Pick<Verifier, 'load'> = verifier
    expect(port.load).toBe(verifier.load)
    const release = await verifier.load(releaseDigest(one.envelope), ['vendor'], deployment)
    expect(release).toEqual({
      digest: releaseDigest(one.envelope),
      version: '1.0.0',
      sequence: 7,
      manifest: statementOf().manifest,
    })
  })

  it('refuses what is not there, is something else, or hangs on a keyset that does not hold', async () => {
    const one = await world()
    const digest = releaseDigest(one.envelope)
    const code = (change: Partial<Parameters<typeof createVerifier>[0]>, of = digest) =>
      codeOf(() => setUp(one, change).load(of, ['vendor'], deployment))
    const other = `sha256:${'0'.repeat(64)}`
    expect(await code({}, other)).toBe('E_RELEASE_UNKNOWN')
    expect(await code({ envelopes: async () => one.envelope }, other)).toBe('E_RELEASE_DIGEST')
    expect(await code({ root: async () => createRootKey() })).toBe('E_ROOT_UNTRUSTED')
    expect(await code({ minKeysetVersion: async () => 4 })).toBe('E_KEYSET_OLDER')
    expect(await code({ clock: { now: () => now + 91 * day } })).toBe('E_KEYSET_EXPIRED')
    expect(await code({ clock: { now: () => now + 91 * day }, accepted: async () => true })).toBe('none')
  })
})
