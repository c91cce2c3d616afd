import { rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { Binding } from '@landfall/runtime'
import type { LogLine, TelemetryTarget, VersionSpec } from '../shared/control.ts'
import { areaMarker, type Places } from '../shared/places.ts'
import { Artifacts } from './artifact/artifacts.ts'
import { PostgresServers } from './postgres-servers.ts'
import { openKeyFile, type Sealer } from './secrets/seal.ts'
import { Secrets } from './secrets/secrets.ts'
import { HostStore } from './store/host-store.ts'
import { endLeftovers } from './supervisor/leftovers.ts'
import { Tokens } from './tokens.ts'
import { WorkerHost } from './worker-host.ts'

/** All that one environment's daemon holds. Desired state is in the store; `start` converges to it. */
export class Host {
  readonly places: Places
  readonly since = Date.now()
  readonly marker: string
  readonly store: HostStore
  readonly sealer: Sealer
  readonly secrets: Secrets
  readonly tokens: Tokens
  readonly artifacts: Artifacts
  readonly workers = new Map<string, WorkerHost>()
  readonly postgres: PostgresServers
  /** Set by `main` once the bindings listen. */
  bindingsUrl = ''
  logForwarder: ((worker: string, line: LogLine) => void) | null = null
  readonly #tracked = new Set<Promise<unknown>>()
  #closed: () => void = () => {}
  readonly #listeners = new Set<() => void>()

  constructor(places: Places) {
    this.places = places
    this.marker = areaMarker(places.directory)
    this.store = new HostStore(places.hostDb)
    this.sealer = openKeyFile(places.key)
    this.secrets = new Secrets(this.store, this.sealer)
    this.tokens = new Tokens(this.store, this.sealer)
    this.artifacts = new Artifacts(places.artifacts)
    this.postgres = new PostgresServers(places.postgres)
  }

  get deployment(): string {
    return this.store.meta('deployment') ?? ''
  }

  get closing(): boolean {
    return this.store.meta('closing') !== null
  }

  /** Ends what a killed daemon left, then brings up what is asked for. */
  async start(): Promise<void> {
    await endLeftovers(this.store, this.marker)
    await rm(this.places.run, { recursive: true, force: true })
    await this.artifacts.sweep(new Set(this.store.allVersions().map(({ row }) => row.spec.artifact)))
    for (const { name, spec } of this.store.resources()) if (spec.type === 'postgres') this.postgres.ensure(name)
    for (const name of this.store.workerNames()) this.worker(name).converge()
  }

  /** Work that goes on in the background; `stop` waits for it, and a failure ends the daemon, which then starts clean. */
  track(work: Promise<unknown>): void {
    this.#tracked.add(work)
    void work.finally(() => this.#tracked.delete(work))
  }

  worker(name: string): WorkerHost {
    let worker = this.workers.get(name)
    if (!worker) {
      worker = new WorkerHost(this, name)
      this.workers.set(name, worker)
    }
    return worker
  }

  async workerGone(worker: WorkerHost): Promise<void> {
    this.store.deleteWorker(worker.name)
    this.workers.delete(worker.name)
    await worker.stop()
  }

  forwardLog(worker: string, line: LogLine): void {
    this.logForwarder?.(worker, line)
  }

  forgetProcess(instance: string): void {
    this.store.forgetProcess(instance)
  }

  /** Called at every change of what is available or asked for. */
  onChanged(listener: () => void): void {
    this.#listeners.add(listener)
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Addresses of exactly what a version uses. */
  async bindingsOf(spec: VersionSpec): Promise<Record<string, Binding>> {
    const bindings: Record<string, Binding> = {}
    for (const { resource } of spec.uses) {
      const type = this.store.resource(resource)?.spec.type ?? 'worker'
      bindings[resource] =
        type === 'postgres'
          ? { type, driver: 'url', url: await this.postgres.url(resource) }
          : { type, driver: 'http', url: `${this.bindingsUrl}/bindings/${resource}` }
    }
    return bindings
  }

  telemetry(): TelemetryTarget | null {
    const sealed = this.store.meta('telemetry')
    if (sealed === null) return null
    return JSON.parse(this.sealer.open(Buffer.from(sealed, 'base64'), 'telemetry')) as TelemetryTarget
  }

  onClosed(listener: () => void): void {
    this.#closed = listener
  }

  /** Takes everything away that this environment holds, but the daemon itself; safe to begin again after a kill. */
  async close(): Promise<void> {
    for (const name of this.store.workerNames())
      this.store.updateWorker(name, { removing: true, shares: {}, triggers: null })
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()))
    await Promise.allSettled(this.#tracked)
    await endLeftovers(this.store, this.marker)
    for (const { name, spec } of this.store.resources()) if (spec.type === 'postgres') await this.postgres.remove(name)
    for (const path of [
      this.places.storage,
      this.places.artifacts,
      this.places.logs,
      this.places.run,
      this.places.postgres,
    ]) {
      await rm(path, { recursive: true, force: true })
    }
    this.#closed()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()))
    await Promise.allSettled(this.#tracked)
    await this.postgres.stop()
    this.store.close()
  }
}
