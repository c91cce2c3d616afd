import type { Client } from '@landfall/contract'
import { buildRelease, createStatement, layoutReader, loadConfig, type Signer, signRelease } from '@landfall/release'
import { LandfallError } from '@landfall/stack'

export interface PublishOptions {
  client: Client
  project: string
  directory: string
  version: string
  channel: string
  signer: Signer
  /** Without it the release is published but reaches no deployment. */
  rollout: boolean
  plan?: Parameters<Client['createRelease']>[0]['body']['plan']
  now: number
  /** Told as the work goes on. */
  progress?: (step: { kind: 'build' | 'upload' | 'publish'; message: string }) => void
}

const concurrency = 4

/** Builds, signs, uploads what the manager lacks, publishes. Safe to run again: blobs go by digest, the release by version. */
export async function publishRelease(options: PublishOptions) {
  const { client, project, progress = () => {} } = options
  const { manifest, dir } = await loadConfig(options.directory)
  if (manifest.project !== project) {
    throw new LandfallError({
      code: 'E_RELEASE_PROJECT',
      message: `The stack is called ${manifest.project}, the project ${project}.`,
      hint: `Give --project ${manifest.project}, or rename the stack in landfall.config.ts.`,
    })
  }
  const built = await buildRelease({
    dir,
    manifest,
    version: options.version,
    now: options.now,
    onProgress: (worker) => progress({ kind: 'build', message: `building ${worker}` }),
  })
  const read = layoutReader(built.layoutDir)
  const digests = [...new Set([...built.artifacts, built.sbom].map((blob) => blob.digest))]
  const { missing } = await client.hasBlobs({ params: { project }, body: { digests } })
  let sent = 0
  await inParallel(missing, concurrency, async (digest) => {
    await client.putBlob({ params: { project, digest }, body: await read(digest) })
    progress({ kind: 'upload', message: `uploaded ${++sent} of ${missing.length} blobs` })
  })
  const { next } = await client.nextSequence({ params: { project } })
  const statement = createStatement({
    manifest: built.manifest,
    artifacts: built.artifacts,
    sbom: built.sbom,
    provenance: built.provenance,
    version: options.version,
    channel: options.channel,
    sequence: next,
    now: options.now,
  })
  const envelope = await signRelease(statement, options.signer)
  progress({ kind: 'publish', message: `publishing ${options.version}` })
  return client.createRelease({
    params: { project },
    body: { envelope, rollout: options.rollout ? 'start' : 'none', ...(options.plan && { plan: options.plan }) },
  })
}

async function inParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane))
}
