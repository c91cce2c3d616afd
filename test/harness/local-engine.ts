import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRunner, type DeploymentState, type Desired, type Target } from '@landfall/engine'
import { MemorySources, MemoryStore } from '@landfall/engine/testing'
import { createLocalPlatform } from '@landfall/platform-local'
import { manifest, type RolloutPlanInput } from '@landfall/stack'
import { markedProcesses } from '../../packages/platforms/local/src/host/supervisor/process-table.ts'
import { areaMarker } from '../../packages/platforms/local/src/shared/places.ts'
import { pack } from '../../packages/platforms/local/src/testing/pack.ts'

const clock = { now: Date.now, sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal && { signal }) }
const id = 'dep_engine_local'

export interface Answer {
  status: number
  version: string
}

/** One deployment of one worker on the real local platform, run by the real engine over a store in memory, with users. */
export class LocalEngine {
  readonly answers: Answer[] = []
  readonly store = new MemoryStore(clock)
  readonly directory: string
  readonly #sources = new MemorySources()
  readonly #blobs = new Map<string, Uint8Array>()
  readonly #traffic = new AbortController()
  readonly #runner: ReturnType<typeof createRunner>
  #generation = 0
  #sequence = 0
  #users: Promise<void>[] = []

  private constructor(directory: string) {
    this.directory = directory
    this.#runner = createRunner({
      store: this.store,
      platform: createLocalPlatform(),
      verifier: this.#sources,
      config: this.#sources.config,
      blobs: { read: async (digest) => this.#blobs.get(digest) ?? Promise.reject(new Error(`no blob ${digest}`)) },
      metrics: this.#sources.metrics,
      gates: this.#sources.gates,
      clock,
      random: { next: Math.random },
      log: { info() {}, warn() {} },
      owner: 'test',
      concurrency: 1,
      idleMs: 50,
      limits: { rolloutTickMs: 100, lingerMs: 2_000 },
    })
  }

  static async start(): Promise<LocalEngine> {
    const engine = new LocalEngine(await mkdtemp(join(tmpdir(), 'landfall-engine-')))
    engine.#runner.start()
    return engine
  }

  /** A release whose worker `api` is this module, rolled out by this plan. */
  release(version: string, source: string, rollout: RolloutPlanInput, more: { gracePeriod?: string } = {}): Target {
    const { digest, bytes } = pack({ 'index.mjs': source })
    this.#blobs.set(digest, bytes)
    const code = {
      kind: 'artifact' as const,
      digest,
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      size: bytes.length,
    }
    const parsed = manifest.parse({
      schema: 'landfall.dev/manifest/v1',
      project: 'shop',
      platforms: ['local'],
      resources: [
        {
          type: 'worker',
          name: 'api',
          lifecycle: 'live',
          public: true,
          code,
          health: { interval: '100ms', startup: '3s' },
          uses: [{ resource: 'files', access: ['read'] }],
          rollout,
          ...more,
        },
        { type: 'storage', name: 'files', lifecycle: 'frozen' },
      ],
    })
    return this.#sources.release(version, ++this.#sequence, parsed)
  }

  want(target: Target, operation: Desired['operation'] = 'run'): void {
    this.store.put({
      generation: ++this.#generation,
      deployment: {
        id,
        name: 'local',
        project: 'shop',
        prefix: 'shop-local',
        platform: 'local',
        model: 'push',
        environment: { directory: this.directory },
      },
      operation,
      target,
      setup: { release: target.release },
      controls: [],
      customer: { updates: 'automatic', access: 'granted', windows: [] },
      answers: [],
      policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
    })
    this.#runner.wake()
  }

  events(type: string) {
    return this.store.events(id).filter((event) => event.type === type)
  }

  /** Waits for what must come; the test's own limit ends a wait in vain. */
  async until(holds: (state: DeploymentState) => boolean): Promise<DeploymentState> {
    for (;;) {
      const state = this.store.state(id)
      if (state && state.generation === this.#generation && holds(state)) return state
      await sleep(50)
    }
  }

  /** Users: a few at once, without a pause worth the name, until `leave`. */
  use(url: string, users = 4): void {
    const one = async () => {
      while (!this.#traffic.signal.aborted) {
        const response = await fetch(url).catch(() => null)
        this.answers.push(
          response ? { status: response.status, version: await response.text() } : { status: 0, version: '' },
        )
        await sleep(5)
      }
    }
    this.#users = Array.from({ length: users }, one)
  }

  async leave(): Promise<void> {
    this.#traffic.abort()
    await Promise.all(this.#users)
  }

  /** Processes of the environment that still run. */
  processes(): Promise<readonly unknown[]> {
    return markedProcesses(areaMarker(this.directory))
  }

  async stop(): Promise<void> {
    await this.leave()
    await this.#runner.stop()
    await rm(this.directory, { recursive: true, force: true })
  }
}
