import { createHash } from 'node:crypto'
import {
  createRootKey,
  createSigningKey,
  createStatement,
  type KeysetEnvelope,
  keysetEntry,
  type ReleaseEnvelope,
  type SigningKey,
  signKeyset,
  signRelease,
} from '@landfall/release'
import {
  type CommandDefinition,
  compileStack,
  input,
  type Manifest,
  queue,
  Stack,
  secret,
  storage,
  worker,
} from '@landfall/stack'

const day = 86_400_000
const mediaType = 'application/vnd.oci.image.layer.v1.tar'

/** A vendor with keys, for tests: signs keysets and releases of one project. */
export interface Vendor {
  root: SigningKey
  key: SigningKey
  keyset(version: number, change?: { keys?: SigningKey[]; expiresInDays?: number }): Promise<KeysetEnvelope>
  release(of: ReleaseOf): Promise<{ envelope: ReleaseEnvelope; blob: Uint8Array<ArrayBuffer>; digest: string }>
}

export interface ReleaseOf {
  version: string
  sequence: number
  channel?: string
  /** Another frozen queue, so that the release needs a setup. */
  frozen?: string
  /** Content of the worker's artifact; the version by default. */
  code?: string
  by?: SigningKey
  /** Of its worker. */
  commands?: Readonly<Record<string, CommandDefinition>>
}

export function createVendor(project: string, now: number): Vendor {
  const root = createRootKey()
  const key = createSigningKey('vendor')
  return {
    root,
    key,
    keyset: (version, change = {}) =>
      signKeyset(
        {
          project,
          version,
          expiresAt: new Date(now + (change.expiresInDays ?? 90) * day).toISOString(),
          keys: (change.keys ?? [key]).map((one) => keysetEntry('vendor', one)),
        },
        root,
      ),
    release: async (of) => {
      const blob = Uint8Array.from(Buffer.from(of.code ?? `code of ${of.version}`))
      const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`
      const statement = createStatement({
        manifest: manifestOf(project, digest, blob.byteLength, of),
        artifacts: [{ resource: 'api', digest, mediaType, size: blob.byteLength }],
        provenance: {
          commit: 'c0ffee0',
          dirty: false,
          repository: null,
          builder: 'test',
          builtAt: new Date(now).toISOString(),
          inputs: [],
        },
        version: of.version,
        channel: of.channel ?? 'stable',
        sequence: of.sequence,
        now,
      })
      return { envelope: await signRelease(statement, of.by ?? key), blob, digest }
    },
  }
}

/** A worker with an input for each side, a customer's secret, and a frozen bucket. */
function manifestOf(
  project: string,
  digest: string,
  size: number,
  { frozen, commands = {} }: Pick<ReleaseOf, 'frozen' | 'commands'>,
): Manifest {
  const uploads = storage('uploads', { lifecycle: 'frozen' })
  const api = worker('api', {
    source: './api.ts',
    public: true,
    uses: [uploads.read()],
    env: { LOG_LEVEL: 'info', STRIPE_KEY: secret('stripe-key', { providedBy: 'customer' }) },
  })
  const extra = frozen === undefined ? [] : [queue(frozen, { lifecycle: 'frozen' })]
  const stack = new Stack(project, {
    resources: [uploads, api, ...extra],
    platforms: ['local'],
    inputs: {
      region: input.enum(['eu', 'us'], { providedBy: 'customer', default: 'eu' }),
      seats: input.integer({ providedBy: 'vendor', minimum: 1, default: 5 }),
    },
  })
  const manifest = compileStack(stack)
  return {
    ...manifest,
    resources: manifest.resources.map((resource) =>
      resource.type === 'worker'
        ? { ...resource, commands, code: { kind: 'artifact', digest, mediaType, size } }
        : resource,
    ),
  }
}
