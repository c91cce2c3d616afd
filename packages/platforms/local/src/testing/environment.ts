import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  ComputeObservation,
  Data,
  DeploymentRef,
  ResolvedConfig,
  StepContext,
  StepResult,
  VerifiedRelease,
} from '@landfall/engine'
import { type ComputeResource, type Resource, resource as resourceSchema, type WorkerResource } from '@landfall/stack'
import { createLocalPlatform } from '../controllers/platform.ts'
import { markedProcesses } from '../host/supervisor/process-table.ts'
import type { TelemetryTarget } from '../shared/control.ts'
import { areaMarker } from '../shared/places.ts'
import { pack } from './pack.ts'

type Input = Record<string, unknown>

/** A local environment for a test: real daemon, real processes, gone after `close`. */
export class TestEnvironment {
  readonly deployment: DeploymentRef
  readonly directory: string
  telemetry: TelemetryTarget | null = null
  readonly platform = createLocalPlatform({
    telemetry: () => this.telemetry,
  })
  config: ResolvedConfig = noSecrets()
  readonly #blobs = new Map<string, Uint8Array>()

  private constructor(directory: string, id: string) {
    this.directory = directory
    this.deployment = {
      id,
      name: 'test',
      project: 'acme',
      prefix: 'acme-test',
      platform: 'local',
      model: 'push',
      environment: { directory },
    }
  }

  static async open(id = 'dep_1'): Promise<TestEnvironment> {
    const environment = new TestEnvironment(await mkdtemp(join(tmpdir(), 'landfall-local-')), id)
    await environment.platform.openArea(environment.deployment, soon())
    return environment
  }

  async close(): Promise<void> {
    await this.platform.closeArea(this.deployment, soon(60_000))
    await rm(this.directory, { recursive: true, force: true })
  }

  processes(): Promise<number[]> {
    return markedProcesses(areaMarker(this.directory))
  }

  context<R extends Resource>(resource: R): StepContext<R> {
    return {
      deployment: this.deployment,
      resource,
      name: `acme-test-${resource.name}`,
      config: this.config,
      outputs: {},
      blobs: {
        read: async (digest) => {
          const bytes = this.#blobs.get(digest)
          if (!bytes) throw new Error(`no blob ${digest}`)
          return bytes
        },
      },
      clock: { now: Date.now, sleep: (ms) => sleep(ms) },
      signal: soon(),
    }
  }

  worker(source: string, input: Input = {}): WorkerResource {
    const { digest, bytes } = pack({ 'index.mjs': source })
    this.#blobs.set(digest, bytes)
    const parsed = resourceSchema.parse({
      type: 'worker',
      name: 'api',
      lifecycle: 'live',
      public: true,
      code: { kind: 'artifact', digest, mediaType: 'application/vnd.oci.image.layer.v1.tar', size: bytes.length },
      health: { interval: '100ms', startup: '5s' },
      gracePeriod: '2s',
      ...input,
    })
    if (parsed.type !== 'worker') throw new Error('not a worker')
    return parsed
  }

  /** Starts a version; returns its id. */
  async start(resource: WorkerResource, version: string, instances = 1): Promise<string> {
    const id = versionId(`${resource.name} ${version}`)
    const release: Pick<VerifiedRelease, 'digest' | 'version'> = { digest: versionId(version), version }
    await this.drive((data) =>
      this.#compute().ensureVersion(
        this.context(resource),
        { id, resource, release, config: this.config },
        instances,
        data,
      ),
    )
    return id
  }

  route(resource: WorkerResource, shares: Record<string, number>): Promise<unknown> {
    return this.drive((data) => this.#compute().route(this.context(resource), shares, data))
  }

  moveTriggers(resource: WorkerResource, version: string | null): Promise<unknown> {
    return this.drive((data) => this.#compute().moveTriggers(this.context(resource), version, data))
  }

  removeVersion(resource: WorkerResource, id: string): Promise<unknown> {
    return this.drive((data) => this.#compute().removeVersion(this.context(resource), id, data))
  }

  remove(resource: WorkerResource): Promise<unknown> {
    return this.drive((data) => this.#compute().remove(this.context(resource), data))
  }

  async ensure(input: Input): Promise<Data> {
    const resource = resourceSchema.parse({ lifecycle: 'frozen', ...input })
    const controllers = this.platform.resources as Record<
      string,
      { ensure(context: StepContext, data: Data | null): Promise<StepResult> } | undefined
    >
    const controller = controllers[resource.type]
    if (!controller) throw new Error(`no controller for ${resource.type}`)
    return (await this.drive((data) => controller.ensure(this.context(resource), data))) ?? {}
  }

  observe(resource: ComputeResource & { type: 'worker' }): Promise<ComputeObservation> {
    return this.#compute().observe(this.context(resource), null)
  }

  /** Observes until `holds`; the test's own timeout is the limit. */
  async until(resource: WorkerResource, holds: (seen: ComputeObservation) => boolean): Promise<ComputeObservation> {
    for (;;) {
      const seen = await this.observe(resource)
      if (holds(seen)) return seen
      await sleep(25)
    }
  }

  /** Starts one version and gives it everything; returns its id and the worker's address. */
  async serve(resource: WorkerResource, version: string, instances = 1): Promise<{ id: string; url: string }> {
    const id = await this.start(resource, version, instances)
    await this.until(resource, ({ versions }) => versions[id]?.available === instances)
    await this.route(resource, { [id]: 100 })
    await this.moveTriggers(resource, id)
    const { url } = await this.observe(resource)
    return { id, url: url ?? '' }
  }

  async drive(step: (data: Data | null) => Promise<StepResult>): Promise<Data | undefined> {
    let data: Data | null = null
    for (;;) {
      const result = await step(data)
      if (result.kind === 'done') return result.outputs
      data = result.data
      if (result.kind === 'wait') await sleep(Math.min(result.afterMs, 50))
    }
  }

  #compute() {
    const { worker } = this.platform.compute
    if (!worker) throw new Error('no compute')
    return worker
  }
}

export function versionId(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

export function soon(ms = 30_000): AbortSignal {
  return AbortSignal.timeout(ms)
}

function noSecrets(): ResolvedConfig {
  return {
    digest: versionId('config'),
    inputs: {},
    secrets: {},
    bindings: {},
    openSecret: () => Promise.reject(new Error('no secrets')),
  }
}
