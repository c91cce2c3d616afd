import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileStack, type Digest, Stack, sha256, worker } from '@landfall/stack'
import { createTar } from '../../build/tar.ts'
import { type Envelope, signEnvelope } from '../../dsse/envelope.ts'
import { canonicalBytes } from '../../json/canonical-bytes.ts'
import { createRootKey, createSigningKey, type Signer, type SigningKey } from '../../keys/signing-key.ts'
import type { KeysetKey } from '../../keyset/keyset.ts'
import { keysetEntry, signKeyset } from '../../keyset/sign-keyset.ts'
import { createStatement, signRelease } from '../../statement/sign-release.ts'
import { day, iso, now } from '../../testing/fixtures.ts'
import { writeArchive } from '../archive/archive-writer.ts'
import { tarEntryBytes } from '../archive/tar-header.ts'
import { blobName } from '../blob-plan.ts'
import { bundleArchive } from '../bundle-archive.ts'
import { type BlobEntry, type BundleStatement, bundlePayloadType } from '../bundle-statement.ts'
import { signCommand } from '../command.ts'
import { type CreateBundleOptions, createBundle, type ReleaseSource } from '../create-bundle.ts'
import type { ImportOptions } from '../import-bundle.ts'
import { inspectBundle } from '../inspect-bundle.ts'

const mediaType = 'application/vnd.oci.image.layer.v1.tar'

/** A vendor with real keys and releases of real bytes, and a site that trusts it. */
export class BundleWorld implements AsyncDisposable {
  readonly dir: string
  readonly root: SigningKey = createRootKey()
  readonly vendor: SigningKey = createSigningKey('vendor')
  readonly deployment = 'dep-initech'

  private constructor(dir: string) {
    this.dir = dir
  }

  static async create(): Promise<BundleWorld> {
    return new BundleWorld(await mkdtemp(join(tmpdir(), 'landfall-bundle-')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.dir, { recursive: true, force: true })
  }

  path(name: string): string {
    return join(this.dir, name)
  }

  keyset(
    change: { version?: number; project?: string; keys?: KeysetKey[]; expiresAt?: number } = {},
  ): Promise<Envelope> {
    return signKeyset(
      {
        project: change.project ?? 'acme',
        version: change.version ?? 3,
        expiresAt: iso(change.expiresAt ?? now + 90 * day),
        keys: change.keys ?? [keysetEntry('vendor', this.vendor)],
      },
      this.root,
    )
  }

  /** A release whose workers are files of the given content; the same content is the same artifact. */
  async release(
    options: {
      version: string
      sequence: number
      workers: Record<string, Uint8Array>
      project?: string
      image?: string
    },
    signer: SigningKey = this.vendor,
  ): Promise<ReleaseSource> {
    const project = options.project ?? 'acme'
    const layers = new Map<Digest, Uint8Array>()
    const artifacts = Object.entries(options.workers).map(([resource, content]) => {
      const bytes = createTar({ 'index.mjs': content })
      layers.set(sha256(bytes), bytes)
      return { resource, digest: sha256(bytes), mediaType, size: bytes.length }
    })
    const stack = new Stack(project, {
      resources: [
        ...artifacts.map(({ resource }) => worker(resource, { source: `./${resource}.ts` })),
        ...(options.image ? [worker('legacy', { image: options.image })] : []),
      ],
      platforms: [options.image ? 'kubernetes' : 'local'],
    })
    const compiled = compileStack(stack)
    const resources = compiled.resources.map((resource) => {
      const found = artifacts.find((artifact) => artifact.resource === resource.name)
      if (!found || resource.type !== 'worker') return resource
      return { ...resource, code: { kind: 'artifact' as const, digest: found.digest, mediaType, size: found.size } }
    })
    const statement = createStatement({
      manifest: { ...compiled, resources },
      artifacts: artifacts.sort((a, b) => (a.resource < b.resource ? -1 : 1)),
      provenance: { commit: null, dirty: null, repository: null, builder: 'test', builtAt: iso(now), inputs: [] },
      version: options.version,
      channel: 'stable',
      sequence: options.sequence,
      now,
    })
    return {
      envelope: await signRelease(statement, signer),
      blobs: async (digest) => layers.get(digest) ?? Promise.reject(new Error(`no blob ${digest}`)),
    }
  }

  command(change: { id?: string; deployment?: string; expiresAt?: number; nonce?: string; signer?: SigningKey } = {}) {
    return signCommand(
      {
        project: 'acme',
        id: change.id ?? 'cmd-1',
        deployment: change.deployment ?? this.deployment,
        worker: 'api',
        command: 'reindex',
        input: { since: '2026-01-01' },
        issuedAt: iso(now),
        expiresAt: iso(change.expiresAt ?? now + 7 * day),
        nonce: change.nonce ?? randomBytes(16).toString('base64url'),
      },
      change.signer ?? this.vendor,
    )
  }

  async bundle(options: Partial<CreateBundleOptions> & Pick<CreateBundleOptions, 'releases'>, name = 'bundle.tar') {
    return createBundle({
      out: this.path(name),
      project: 'acme',
      keyset: await this.keyset(),
      signer: this.vendor,
      now,
      ...options,
    })
  }

  /** A bundle's file with another description over the same blobs, signed anew: what a careless or hostile key holder could make. */
  async resigned(
    file: string,
    change: Partial<BundleStatement> | ((statement: BundleStatement) => Partial<BundleStatement>),
    signer: Signer = this.vendor,
  ): Promise<string> {
    const blobs = new Map<Digest, Uint8Array>()
    const tar = await readFile(file)
    for (const { name, start, size } of tarEntries(tar)) {
      blobs.set(`sha256:${name.split('/').at(-1)}`, tar.subarray(start, start + size))
    }
    const { statement } = await inspectBundle(file)
    const changed = { ...statement, ...(typeof change === 'function' ? change(statement) : change) }
    const envelope = canonicalBytes(await signEnvelope(bundlePayloadType, canonicalBytes(changed), [signer]))
    const out = this.path('resigned.tar')
    const entry = ({ digest, size }: BlobEntry) => {
      return { name: blobName(digest), digest, size, content: () => [blobs.get(digest) ?? new Uint8Array()] }
    }
    await writeArchive(out, bundleArchive(changed, envelope, entry))
    return out
  }

  /** What the site asks of a bundle. */
  site(change: Partial<ImportOptions> = {}): ImportOptions {
    return {
      root: { ...this.root.toPublic(), version: 1 },
      minKeysetVersion: 1,
      project: 'acme',
      deployment: this.deployment,
      now,
      sequenceFloor: 1,
      ...change,
    }
  }
}

/** The entries of a tar that we wrote: header's and content's place. */
export function* tarEntries(tar: Buffer): Generator<{ name: string; header: number; start: number; size: number }> {
  for (let at = 0; tar[at] !== 0; ) {
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8)
    yield { name: tar.toString('latin1', at, at + 100).replace(/\0.*/s, ''), header: at, start: at + 512, size }
    at += tarEntryBytes(size)
  }
}

/** Bytes that do not repeat and are the same in every run. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let at = 0; at < length; at++) {
    // A linear congruential generator (Numerical Recipes' constants): good enough to be no run of zeros.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}
