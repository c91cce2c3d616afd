import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createKeys, readKey } from '@landfall/cli/keys'
import { createSessionFetch } from '@landfall/cli/session'
import { type Client, createClient } from '@landfall/contract'
import { createStatement, signRelease } from '@landfall/release'
import { manifest, type RolloutPlanInput } from '@landfall/stack'
import { pack } from '../../../packages/platforms/local/src/testing/pack.ts'
import { landfall } from '../../../scripts/story/landfall.ts'
import { workerCode } from './worker-code.ts'

export const project = 'shop'
const canary: RolloutPlanInput = { strategy: 'canary', steps: [{ share: 50, bake: '300ms' }] }
const held: RolloutPlanInput = { strategy: 'canary', steps: [{ share: 50, bake: '30s' }] }

/** The releases of every scenario: the first, a good one behind a canary, one whose candidate crashes in its bake. */
const releases = [
  { version: '1.0.0', rollout: null, dies: 0 },
  { version: '1.1.0', rollout: canary, dies: 0 },
  { version: '1.2.0', rollout: held, dies: 250 },
]

export interface Vendor {
  client: Client
  /** Runs `landfall …` as the vendor's engineer. */
  landfall(argv: readonly string[]): Promise<unknown>
  /** Digest of each release by its version. */
  releases: ReadonlyMap<string, string>
}

/** First account, project and releases on a new manager. */
export async function arrive(url: string, bootstrap: string, directory: string, effects: string): Promise<Vendor> {
  mkdirSync(directory, { recursive: true })
  const token = await firstToken(url, bootstrap)
  const environment = { LANDFALL_HOME: directory, LANDFALL_URL: url, LANDFALL_TOKEN: token, LANDFALL_PROJECT: project }
  const client = createClient({ url, token, timeoutMs: 60_000 })
  const { rootPublicKey, keyset } = await createKeys(environment, project, Date.now())
  await client.createProject({ body: { name: project, rootPublicKey, keyset } })
  const signer = await readKey(environment, project, 'vendor')
  const made = new Map<string, string>()
  for (const [index, { version, rollout, dies }] of releases.entries()) {
    const { digest, bytes } = pack({ 'index.mjs': workerCode(version, effects, dies) })
    const artifact = { digest, mediaType: 'application/vnd.oci.image.layer.v1.tar', size: bytes.length }
    const statement = createStatement({
      manifest: manifestOf(artifact, rollout),
      artifacts: [{ resource: 'api', ...artifact }],
      provenance: { ...nothingBuilt, builtAt: new Date().toISOString() },
      version,
      channel: 'stable',
      sequence: index + 1,
      now: Date.now(),
    })
    await client.putBlob({ params: { project, digest }, body: bytes as Uint8Array<ArrayBuffer> })
    const envelope = await signRelease(statement, signer)
    const { release } = await client.createRelease({ params: { project }, body: { envelope, rollout: 'none' } })
    made.set(version, release.digest)
  }
  return { client, landfall: (argv) => landfall(argv, { environment }), releases: made }
}

const nothingBuilt = { commit: null, dirty: null, repository: null, builder: 'chaos', inputs: [] }

/** A worker with a command, a bucket that is made at setup, a secret. */
function manifestOf(artifact: { digest: string; mediaType: string; size: number }, rollout: RolloutPlanInput | null) {
  return manifest.parse({
    schema: 'landfall.dev/manifest/v1',
    project,
    platforms: ['local'],
    resources: [
      {
        type: 'worker',
        name: 'api',
        lifecycle: 'live',
        public: true,
        code: { kind: 'artifact', ...artifact },
        health: { interval: '100ms', startup: '10s' },
        uses: [{ resource: 'files', access: ['read'] }],
        env: { TOKEN: { secret: 'token' } },
        commands: { count: { input: { type: 'object' }, deadline: '60s' } },
        ...(rollout && { rollout }),
      },
      { type: 'storage', name: 'files', lifecycle: 'frozen' },
      { type: 'secret', name: 'token', lifecycle: 'live', providedBy: 'vendor' },
    ],
  })
}

async function firstToken(url: string, bootstrap: string): Promise<string> {
  const client = createClient({ url, fetch: createSessionFetch(url) })
  const token = new URL(bootstrap).searchParams.get('token') ?? ''
  await client.bootstrap({
    body: { token, email: 'ada@example.com', name: 'Ada', password: 'correct horse battery' },
  })
  return (await client.createOwnToken({ body: { name: 'chaos', expiresInDays: 1 } })).secret
}

export const places = (root: string) => ({
  /** What the instrument and the harness tell each other. */
  chaos: join(root, 'chaos'),
  /** All that the product writes. */
  live: join(root, 'live'),
  kept: join(root, 'kept'),
  carried: join(root, 'carried'),
  vendor: join(root, 'vendor'),
  /** Temporary files of the product: what a kill leaves there counts too. */
  temporary: join(root, 'live', 'tmp'),
  effects: join(root, 'live', 'effects.log'),
  manager: join(root, 'live', 'manager'),
  site: join(root, 'live', 'site'),
  puller: join(root, 'live', 'puller'),
})
export type Places = ReturnType<typeof places>
