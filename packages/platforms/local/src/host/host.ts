import { rm } from 'node:fs/promises'
import type { Binding } from '@landfall/runtime'
import type { LogLine, TelemetryTarget, VersionSpec } from '../shared/control.ts'
import { areaMarker, type Places } from '../shared/places.ts'
import type { Sql } from '../shared/sql.ts'
import { Artifacts } from './artifact/artifacts.ts'
import { Kv } from './bindings/kv.ts'
import { Queue } from './bindings/queue.ts'
import { createBindingsServer } from './bindings/server.ts'
import { Storage } from './bindings/storage.ts'
import { CronClock } from './events/cron.ts'
import { EventDispatcher } from './events/event-dispatcher.ts'
import { QueueDispatcher } from './events/queue-dispatcher.ts'
import { storageOutbox } from './events/storage-outbox.ts'
import { listenLocal } from './listen.ts'
import { OtlpForwarder } from './logs/otlp-forwarder.ts'
import { PostgresServers } from './postgres-servers.ts'
import { guarded, report } from './report.ts'
import { openKeyFile, type Sealer } from './secrets/seal.ts'
import { Secrets } from './secrets/secrets.ts'
import { openDataStore } from './store/data-store.ts'
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
  readonly data: Sql
  readonly kv: Kv
  readonly queue: Queue
  readonly storage: Storage
  readonly events: EventDispatcher
  readonly #consumers: QueueDispatcher
  readonly #cron: CronClock
  readonly #otlp: OtlpForwarder
  readonly #sweeper: NodeJS.Timeout
  /** Known once `start` has run. */
  #bindingsUrl = ''
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
    this.data = openDataStore(places.dataDb)
    this.kv = new Kv(this.data)
    this.#consumers = new QueueDispatcher(this)
    this.queue = new Queue(this.data, () => this.#consumers.wake())
    this.events = new EventDispatcher(this, this.data)
    this.storage = new Storage(this.data, places.storage, storageOutbox(this, this.events))
    this.#cron = new CronClock(this, this.data, this.events)
    this.#otlp = new OtlpForwarder(
      () => this.telemetry(),
      () => this.deployment,
    )
    this.#sweeper = setInterval(() => guarded('sweeping', () => this.kv.sweep(Date.now())), sweepMs).unref()
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
    await this.#serveBindings()
    for (const { name, spec } of this.store.resources()) {
      if (spec.type === 'storage') await this.storage.sweep(name)
      // Its failure shows when the resource is observed, and in what needs it.
      if (spec.type === 'postgres') this.postgres.ensure(name).catch(() => {})
    }
    for (const name of this.store.workerNames()) this.worker(name).converge()
  }

  /** Work that goes on in the background; `stop` waits for it. What fails is tried again by whoever gave it. */
  track(work: Promise<unknown>): void {
    this.#tracked.add(work)
    void work.catch(report('background work')).finally(() => this.#tracked.delete(work))
  }

  worker(name: string): WorkerHost {
    let worker = this.workers.get(name)
    if (!worker) {
      worker = new WorkerHost(this, name)
      this.workers.set(name, worker)
    }
    return worker
  }

  /** Its code goes with the last version that names it: an environment that is updated for years keeps no more than it runs. */
  versionGone({ artifact }: VersionSpec): void {
    if (this.store.allVersions().some(({ row }) => row.spec.artifact === artifact)) return
    this.track(this.artifacts.drop(artifact))
  }

  async workerGone(worker: WorkerHost): Promise<void> {
    this.store.deleteWorker(worker.name)
    this.events.drop(worker.name)
    this.#cron.drop(worker.name)
    this.workers.delete(worker.name)
    await worker.stop()
  }

  forwardLog(worker: string, line: LogLine): void {
    this.#otlp.add(worker, line)
  }

  forgetProcess(instance: string): void {
    // A record that stays does no harm: it is believed only together with the process's start time.
    guarded('forgetting a process', () => this.store.forgetProcess(instance))
  }

  recordProcess(instance: string, worker: string, version: string, pid: number, started: string): void {
    // Without its record a process is still found by its marker.
    guarded('recording a process', () => this.store.recordProcess(instance, worker, version, pid, started))
  }

  /** Called at every change of what is available or asked for. */
  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    this.#consumers.wake()
    this.events.wake()
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
          : { type, driver: 'http', url: `${this.#bindingsUrl}/bindings/${resource}` }
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
    this.#halt()
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
    this.#halt()
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()))
    await Promise.allSettled(this.#tracked)
    await this.#otlp.flush().catch(report('sending logs'))
    await this.postgres.stop().catch(report('stopping PostgreSQL'))
    this.data.database.close()
    this.store.close()
  }

  #halt(): void {
    this.#consumers.stop()
    this.events.stop()
    this.#cron.stop()
    clearInterval(this.#sweeper)
  }

  /** At the same port as before where it is free, so that addresses given to processes stay true. */
  async #serveBindings(): Promise<void> {
    const before = this.store.meta('bindings-port')
    const port = await listenLocal(createBindingsServer(this), before === null ? null : Number(before))
    if (String(port) !== before) this.store.setMeta('bindings-port', String(port))
    this.#bindingsUrl = `http://127.0.0.1:${port}`
  }
}

const sweepMs = 30_000
