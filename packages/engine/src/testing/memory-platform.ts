import { type Counters, latencyBoundsMs } from '@landfall/rollout'
import { type ComputeResource, type Digest, LandfallError, type PlatformName, type Resource } from '@landfall/stack'
import type { Clock } from '../ports/clock.ts'
import type { DeploymentRef } from '../ports/desired.ts'
import type {
  ComputeController,
  ComputeObservation,
  ComputeVersion,
  Data,
  Invoker,
  Platform,
  ResourceController,
  ResourceObservation,
  StepContext,
  StepResult,
} from '../ports/platform.ts'

/** How the instances of a version behave. */
export interface Behaviour {
  /** Milliseconds until an instance passes its health check; null: never. */
  readyAfterMs?: number | null
  /** Known at once to be useless. */
  failing?: { code: string; message: string }
  /** Share of requests answered with an error, 0..1. */
  errorRate?: number
  latencyMs?: number
}

interface MemoryVersion {
  release: string
  instances: number
  startedAt: number
  requests: number
  resource: ComputeResource
}

interface MemoryWorker {
  versions: Map<Digest, MemoryVersion>
  shares: Record<Digest, number>
  triggers: Digest | null
  /** Since when `requests` counts with the current shares. */
  countedAt: number
}

interface MemoryResource {
  spec: string
  /** Owner's tag. */
  owner: string
  drift: string[]
}

/**
 * An environment in memory: what exists, who owns it, who serves. A second making of something that exists is counted, and so
 * is every change of what is frozen, for tests to see. Each call makes at most one change.
 */
export class MemoryPlatform implements Platform {
  readonly name: PlatformName = 'local'
  readonly invoker: Invoker = {
    invoke: async () => ({ ok: false, error: { code: 'E_UNSUPPORTED', message: 'no commands in memory' } }),
  }
  /** By `<prefix>-<resource>`. */
  readonly things = new Map<string, MemoryResource>()
  readonly workers = new Map<string, MemoryWorker>()
  readonly areas = new Set<string>()
  /** Every change, in order. */
  readonly log: string[] = []
  /** How often each thing was made; a removal starts a new count. */
  readonly made = new Map<string, number>()
  /** Most instances of one worker, of all versions together, that ever existed at once. */
  readonly peak = new Map<string, number>()
  revoked = false
  requestsPerSecond = 200
  /** By worker and release version. */
  behaviour: (worker: string, release: string) => Behaviour = () => ({})
  readonly resources: Platform['resources']
  readonly compute: Platform['compute']
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
    const controller = this.#resourceController()
    const compute = this.#computeController()
    this.resources = {
      storage: controller,
      kv: controller,
      queue: controller,
      secret: controller,
      postgres: controller,
      manifests: controller,
    }
    this.compute = { worker: compute, container: compute }
  }

  async probe(): Promise<void> {
    this.#admit()
  }

  async openArea(deployment: DeploymentRef): Promise<void> {
    this.#admit()
    if (this.areas.has(deployment.id)) return
    this.areas.add(deployment.id)
    this.#did(`open ${deployment.id}`)
  }

  async closeArea(deployment: DeploymentRef): Promise<void> {
    this.#admit()
    this.areas.delete(deployment.id)
    this.#did(`close ${deployment.id}`)
  }

  /** Percent served by release version of one worker: what its users get. */
  served(worker: string): Record<string, number> {
    const found = this.workers.get(worker)
    const byRelease: Record<string, number> = {}
    for (const [id, share] of Object.entries(found?.shares ?? {})) {
      const release = found?.versions.get(id)?.release ?? 'nothing'
      if (share > 0) byRelease[release] = (byRelease[release] ?? 0) + share
    }
    return byRelease
  }

  #admit(): void {
    if (!this.revoked) return
    throw new LandfallError({
      code: 'E_ACCESS_REVOKED',
      message: 'The identity was denied',
      hint: 'Access was taken away in the environment; it is used again as soon as it is given back.',
    })
  }

  #did(what: string): string {
    this.log.push(what)
    return what
  }

  #make(key: string): void {
    this.made.set(key, (this.made.get(key) ?? 0) + 1)
  }

  #resourceController(): ResourceController<Resource> {
    return {
      ensure: async (context: StepContext, data: Data | null): Promise<StepResult> => {
        this.#admit()
        const spec = JSON.stringify([context.resource, context.config.secrets[context.resource.name] ?? null])
        const found = this.things.get(context.name)
        if (found && found.owner !== context.deployment.id) throw foreign(context.name)
        if (!found) {
          this.things.set(context.name, { spec: '', owner: context.deployment.id, drift: [] })
          this.#make(context.name)
          return { kind: 'continue', data: { made: true }, did: this.#did(`create ${context.name}`) }
        }
        if (found.spec !== spec || found.drift.length > 0) {
          found.spec = spec
          found.drift = []
          return { kind: 'continue', data: { ...data, configured: true }, did: this.#did(`configure ${context.name}`) }
        }
        return { kind: 'done', data: { ...data }, outputs: { address: `memory:${context.name}` } }
      },
      remove: async (context): Promise<StepResult> => {
        this.#admit()
        const found = this.things.get(context.name)
        if (!found) return { kind: 'done', data: {} }
        if (found.owner !== context.deployment.id) throw foreign(context.name)
        this.things.delete(context.name)
        this.made.delete(context.name)
        return { kind: 'done', data: {}, did: this.#did(`remove ${context.name}`) }
      },
      observe: async (context): Promise<ResourceObservation> => {
        this.#admit()
        const found = this.things.get(context.name)
        if (!found) return { status: 'missing', drift: [] }
        return { status: found.owner === context.deployment.id ? 'ok' : 'foreign', drift: found.drift }
      },
    }
  }

  #computeController(): ComputeController {
    return {
      routing: 'weighted',
      ensureVersion: async (context, version, instances, data) =>
        this.#ensureVersion(context, version, instances, data),
      route: async (context, shares): Promise<StepResult> => {
        this.#admit()
        const worker = this.#worker(context.name)
        for (const id of Object.keys(shares)) {
          if (!worker.versions.has(id)) throw gone(context.name, id)
        }
        if (JSON.stringify(worker.shares) === JSON.stringify(shares)) return { kind: 'done', data: {} }
        this.#count(worker)
        worker.shares = { ...shares }
        return { kind: 'done', data: {}, did: this.#did(`route ${context.name} ${this.#shareWords(worker)}`) }
      },
      moveTriggers: async (context, version): Promise<StepResult> => {
        this.#admit()
        const worker = this.#worker(context.name)
        if (worker.triggers === version) return { kind: 'done', data: {} }
        worker.triggers = version
        return { kind: 'done', data: {}, did: this.#did(`triggers ${context.name}`) }
      },
      removeVersion: async (context, version): Promise<StepResult> => {
        this.#admit()
        const worker = this.#worker(context.name)
        if ((worker.shares[version] ?? 0) > 0) {
          const hint = 'Route its share to another version first.'
          const message = `The version still serves ${worker.shares[version]}% of ${context.name}.`
          throw new LandfallError({ code: 'E_VERSION_SERVES', message, hint, retryable: true })
        }
        if (!worker.versions.delete(version)) return { kind: 'done', data: {} }
        this.made.delete(`${context.name}@${version}`)
        return { kind: 'done', data: {}, did: this.#did(`remove ${context.name}@${version.slice(7, 15)}`) }
      },
      remove: async (context): Promise<StepResult> => {
        this.#admit()
        for (const id of this.workers.get(context.name)?.versions.keys() ?? [])
          this.made.delete(`${context.name}@${id}`)
        if (!this.workers.delete(context.name)) return { kind: 'done', data: {} }
        return { kind: 'done', data: {}, did: this.#did(`remove ${context.name}`) }
      },
      observe: async (context): Promise<ComputeObservation> => {
        this.#admit()
        return this.#observe(context.name)
      },
    }
  }

  #ensureVersion(context: StepContext, version: ComputeVersion, instances: number, data: Data | null): StepResult {
    this.#admit()
    const worker = this.#worker(context.name)
    const found = worker.versions.get(version.id)
    if (found && found.instances === instances) return { kind: 'done', data: { ...data } }
    const now = this.#clock.now()
    if (found) {
      this.#count(worker)
      found.instances = instances
      this.#measure(context.name, worker)
      return { kind: 'done', data: { ...data }, did: this.#did(`scale ${context.name} ${found.release} ${instances}`) }
    }
    const { release, resource } = version
    worker.versions.set(version.id, { release: release.version, instances, startedAt: now, requests: 0, resource })
    this.#measure(context.name, worker)
    this.#make(`${context.name}@${version.id}`)
    return { kind: 'continue', data: { started: now }, did: this.#did(`start ${context.name} ${release.version}`) }
  }

  #measure(name: string, worker: MemoryWorker): void {
    const total = [...worker.versions.values()].reduce((sum, { instances }) => sum + instances, 0)
    this.peak.set(name, Math.max(total, this.peak.get(name) ?? 0))
  }

  #observe(name: string): ComputeObservation {
    const worker = this.workers.get(name)
    if (!worker) return { versions: {}, served: {}, weights: {}, triggers: null, url: null, drift: [] }
    this.#count(worker)
    const now = this.#clock.now()
    const versions = Object.fromEntries(
      [...worker.versions].map(([id, version]) => {
        const behaviour = this.#behaviourOf(name, version.release)
        const ready = behaviour.readyAfterMs === undefined ? 200 : behaviour.readyAfterMs
        const available =
          ready !== null && !behaviour.failing && now - version.startedAt >= ready ? version.instances : 0
        const counters = countersOf(version, behaviour, now)
        const failing = behaviour.failing ? { failing: behaviour.failing } : {}
        return [id, { desired: version.instances, available, total: version.instances, counters, ...failing }]
      }),
    )
    const up = Object.entries(worker.shares).filter(([id, share]) => share > 0 && (versions[id]?.available ?? 0) > 0)
    const sum = up.reduce((all, [, share]) => all + share, 0)
    return {
      versions,
      served: Object.fromEntries(up.map(([id, share]) => [id, (100 * share) / sum])),
      weights: { ...worker.shares },
      triggers: worker.triggers,
      url: `http://${name}.test`,
      drift: [],
    }
  }

  #behaviourOf(name: string, release: string): Behaviour {
    return this.behaviour(name.slice(name.indexOf('-') + 1), release)
  }

  #count(worker: MemoryWorker): void {
    const now = this.#clock.now()
    const seconds = (now - worker.countedAt) / 1000
    for (const [id, share] of Object.entries(worker.shares)) {
      const version = worker.versions.get(id)
      if (version) version.requests += (seconds * this.requestsPerSecond * share) / 100
    }
    worker.countedAt = now
  }

  #worker(name: string): MemoryWorker {
    const found = this.workers.get(name)
    if (found) return found
    const made = { versions: new Map(), shares: {}, triggers: null, countedAt: this.#clock.now() }
    this.workers.set(name, made)
    return made
  }

  #shareWords(worker: MemoryWorker): string {
    const words = Object.entries(worker.shares).map(([id, share]) => `${worker.versions.get(id)?.release}=${share}`)
    return words.sort().join(' ')
  }
}

function countersOf(version: MemoryVersion, behaviour: Behaviour, now: number): Counters {
  const requests = Math.floor(version.requests)
  const errors = Math.floor(version.requests * (behaviour.errorRate ?? 0))
  const latency = new Array<number>(latencyBoundsMs.length + 1).fill(0)
  const bucket = latencyBoundsMs.findIndex((bound) => (behaviour.latencyMs ?? 20) <= bound)
  latency[bucket < 0 ? latencyBoundsMs.length : bucket] = requests
  return { requests, errors, latency, restarts: 0, through: now }
}

function foreign(name: string): LandfallError {
  return new LandfallError({
    code: 'E_FOREIGN',
    message: `${name} exists and carries another owner's tag`,
    hint: 'Rename or remove it, or choose another prefix: Landfall never adopts what is not its own.',
  })
}

function gone(name: string, version: Digest): LandfallError {
  return new LandfallError({
    code: 'E_VERSION_GONE',
    message: `${name} has no version ${version.slice(7, 19)}`,
    hint: 'It is made again by itself.',
    retryable: true,
  })
}
