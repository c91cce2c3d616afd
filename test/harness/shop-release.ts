import { createStatement, type SigningKey, signRelease } from '@landfall/release'
import { type CommandDefinition, type Manifest, manifest, type RolloutPlanInput } from '@landfall/stack'
import { pack } from '../../packages/platforms/local/src/testing/pack.ts'

/** A signed release of one worker `api` with a bucket and a vendor's secret `token`. */
export async function shopRelease(release: {
  project: string
  version: string
  sequence: number
  key: SigningKey
  files: Readonly<Record<string, string>>
  rollout?: RolloutPlanInput | undefined
  commands?: Readonly<Record<string, CommandDefinition>> | undefined
}) {
  const { project, version, sequence, key, files, rollout, commands } = release
  const { digest, bytes } = pack(files)
  const mediaType = 'application/vnd.oci.image.layer.v1.tar'
  const parsed: Manifest = manifest.parse({
    schema: 'landfall.dev/manifest/v1',
    project,
    platforms: ['local'],
    resources: [
      {
        type: 'worker',
        name: 'api',
        lifecycle: 'live',
        public: true,
        code: { kind: 'artifact', digest, mediaType, size: bytes.length },
        health: { interval: '100ms', startup: '3s' },
        uses: [{ resource: 'files', access: ['read'] }],
        env: { TOKEN: { secret: 'token' } },
        ...(rollout ? { rollout } : {}),
        ...(commands ? { commands } : {}),
      },
      { type: 'storage', name: 'files', lifecycle: 'frozen' },
      { type: 'secret', name: 'token', lifecycle: 'live', providedBy: 'vendor' },
    ],
  })
  const statement = createStatement({
    manifest: parsed,
    artifacts: [{ resource: 'api', digest, mediaType, size: bytes.length }],
    provenance: {
      commit: null,
      dirty: null,
      repository: null,
      builder: 'test',
      builtAt: new Date().toISOString(),
      inputs: [],
    },
    version,
    channel: 'stable',
    sequence,
    now: Date.now(),
  })
  return { envelope: await signRelease(statement, key), blob: digest, bytes: bytes as Uint8Array<ArrayBuffer> }
}
