import { compileStack, type Manifest, queue, Stack, secret, storage, worker } from '@landfall/stack'
import { createRootKey, createSigningKey, type KeyKind, type SigningKey } from '../keys/signing-key.ts'
import type { Keyset, KeysetEnvelope, KeysetKey } from '../keyset/keyset.ts'
import { keysetEntry, signKeyset } from '../keyset/sign-keyset.ts'
import { verifyKeyset } from '../keyset/verify-keyset.ts'
import { createStatement, signRelease } from '../statement/sign-release.ts'
import type { ReleaseEnvelope, ReleaseStatement } from '../statement/statement.ts'

export const now = Date.parse('2026-11-21T12:00:00.000Z')
export const iso = (ms: number) => new Date(ms).toISOString()
export const day = 86_400_000
const codeDigest = `sha256:${'a'.repeat(64)}`
const mediaType = 'application/vnd.oci.image.layer.v1.tar'

/** A built manifest with one worker, one bucket, one queue and a secret. */
export function builtManifest(
  change: { env?: Record<string, string>; grants?: 'more'; digest?: string } = {},
): Manifest {
  const uploads = storage('uploads', { lifecycle: 'frozen' })
  const jobs = queue('jobs', { lifecycle: 'frozen' })
  const api = worker('api', {
    source: './api.ts',
    public: true,
    uses: change.grants ? [uploads.readWrite(), jobs.send()] : [uploads.read()],
    env: { LOG_LEVEL: 'info', STRIPE_KEY: secret('stripe-key', { providedBy: 'customer' }), ...change.env },
  })
  const manifest = compileStack(new Stack('acme', { resources: [uploads, jobs, api], platforms: ['local'] }))
  const resources = manifest.resources.map((resource) =>
    resource.type === 'worker'
      ? {
          ...resource,
          code: { kind: 'artifact' as const, digest: change.digest ?? codeDigest, mediaType, size: 1234 },
        }
      : resource,
  )
  return { ...manifest, resources }
}

export function statementOf(
  manifest = builtManifest(),
  change: Partial<Pick<ReleaseStatement, 'version' | 'sequence'>> & { now?: number } = {},
): ReleaseStatement {
  const api = manifest.resources.find((resource) => resource.name === 'api')
  const digest = api && 'code' in api && api.code.kind === 'artifact' ? api.code.digest : codeDigest
  return createStatement({
    manifest,
    artifacts: [{ resource: 'api', digest, mediaType, size: 1234 }],
    provenance: {
      commit: 'c0ffee0',
      dirty: false,
      repository: 'https://example.com/acme.git',
      builder: 'test',
      builtAt: iso(now),
      inputs: [],
    },
    version: change.version ?? '1.0.0',
    channel: 'stable',
    sequence: change.sequence ?? 7,
    now: change.now ?? now,
  })
}

export interface World {
  root: SigningKey
  key: SigningKey
  envelope: ReleaseEnvelope
  keyset: Keyset
  keysetEnvelope: KeysetEnvelope
}

/** A root, a keyset with one key, and a release that the key signed. */
export async function world(
  options: { kind?: KeyKind; entry?: Pick<KeysetKey, 'notAfter' | 'revokedAt'>; others?: KeysetKey[] } = {},
): Promise<World> {
  const root = createRootKey()
  const kind = options.kind ?? 'vendor'
  const key = createSigningKey(kind)
  const keysetEnvelope = await signKeyset(
    {
      project: 'acme',
      version: 3,
      expiresAt: iso(now + 90 * day),
      keys: [keysetEntry(kind, key, options.entry), ...(options.others ?? [])],
    },
    root,
  )
  const keyset = verifyKeyset(keysetEnvelope, { root, minVersion: 1, now })
  return { root, key, keyset, keysetEnvelope, envelope: await signRelease(statementOf(), key) }
}

/** The code of the error that `act` throws or rejects with; `none` when it does not. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'none'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : `not ours: ${String(error)}`
  }
}
