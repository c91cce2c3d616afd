import http from 'node:http'
import { join } from 'node:path'
import type { Digest } from '@landfall/stack'
import type { LogLine, VersionSpec, WorkerView } from '../shared/control.ts'
import type { Host } from './host.ts'
import { listenLocal } from './listen.ts'
import { OutputSink } from './logs/output.ts'
import { WorkerLog } from './logs/worker-log.ts'
import { guarded, report } from './report.ts'
import { parseCounters } from './router/counters.ts'
import { Router } from './router/router.ts'
import { handleUpgrade } from './router/upgrade.ts'
import { workerEnvironment } from './supervisor/environment.ts'
import { givePortBack, takePort } from './supervisor/free-port.ts'
import { Instance } from './supervisor/instance.ts'
import { VersionRunner } from './supervisor/version-runner.ts'

const againMs = 1_000

/** One worker: its versions' processes, its router, its log. `converge` brings them to what the store asks for. */
export class WorkerHost {
  readonly name: string
  readonly versions = new Map<Digest, VersionRunner>()
  /** For requests. */
  readonly router = new Router(this.versions)
  /** For queue messages: a sequence of their own, so that neither disturbs the other's shares. */
  readonly consumers = new Router(this.versions)
  readonly log: WorkerLog
  readonly #host: Host
  #server: http.Server | null = null
  #opening: Promise<void> = Promise.resolve()
  #stopped = false
  #saved = new Map<Digest, string>()

  constructor(host: Host, name: string) {
    this.#host = host
    this.name = name
    this.log = new WorkerLog(join(host.places.logs, `${name}.ndjson`))
  }

  converge(): void {
    const { store } = this.#host
    const row = store.worker(this.name)
    const wanted = store.versions(this.name)
    for (const { spec, instances, retiring, counters } of wanted) {
      let runner = this.versions.get(spec.id)
      if (!runner) {
        runner = this.#runner(spec, parseCounters(counters))
        this.versions.set(spec.id, runner)
      }
      if (runner.spec.id === spec.id) runner.spec = spec
      const removing = retiring || (row?.removing ?? true)
      if (!removing) {
        runner.retiring = false
        runner.scale(instances).catch(report(`scaling ${this.name}`))
      } else if (!runner.retiring) {
        runner.retiring = true
        this.#host.track(this.#retire(runner).catch((error: unknown) => this.#again(runner, error)))
      }
    }
    const shares = row && !row.removing ? row.shares : {}
    this.router.shares.set(shares)
    this.consumers.shares.set(shares)
    const listening = wanted.some(({ spec }) => spec.public) && row?.removing === false
    this.#opening = this.#opening
      .then(() => (listening ? this.#open() : this.#close()))
      .catch((error: unknown) => this.#again(null, error))
    this.#host.track(this.#opening)
    this.#host.changed()
  }

  /** A step towards what is asked for failed (a full disk, no file descriptors): it is taken again. */
  #again(retiring: VersionRunner | null, error: unknown): void {
    report(`converging ${this.name}`)(error)
    if (retiring) retiring.retiring = false
    setTimeout(() => {
      if (!this.#stopped) guarded(`converging ${this.name}`, () => this.converge())
    }, againMs).unref()
  }

  /** Where triggers and commands go: the version they were moved to, else the one that serves most. */
  triggerVersion(): VersionRunner | null {
    const row = this.#host.store.worker(this.name)
    if (row?.triggers) return this.versions.get(row.triggers) ?? null
    return null
  }

  commandVersion(): VersionRunner | null {
    const row = this.#host.store.worker(this.name)
    const most = Object.entries(row?.shares ?? {}).sort(([, a], [, b]) => b - a)[0]?.[0]
    return this.triggerVersion() ?? (most === undefined ? null : (this.versions.get(most) ?? null))
  }

  /** What is reported is stored first: a counter that was seen never goes back, whatever is killed. */
  view(): WorkerView | null {
    const { store } = this.#host
    const row = store.worker(this.name)
    if (!row) return null
    const now = Date.now()
    for (const [id, runner] of this.versions) {
      const counters = JSON.stringify(runner.counters)
      if (this.#saved.get(id) === counters) continue
      store.saveCounters(this.name, id, counters)
      this.#saved.set(id, counters)
    }
    return {
      revision: row.revision,
      versions: Object.fromEntries([...this.versions].map(([id, runner]) => [id, runner.view(now)])),
      shares: row.shares,
      served: this.router.shares.effective(this.router.usable),
      triggers: row.triggers,
      url: this.#server && row.port !== null ? `http://127.0.0.1:${row.port}` : null,
      since: this.#host.since,
    }
  }

  /** A line of the host's own in the worker's log. */
  note(line: string): void {
    const runner = this.triggerVersion() ?? [...this.versions.values()][0]
    if (runner) this.#append(runner.spec, 'host', 'host', line)
  }

  /** Ends all processes, without a change of what is asked for. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.versions.values()].map((runner) => runner.scale(0)))
    await this.#opening
    await this.#close()
    this.view()
    await this.log.flush()
  }

  async #retire(runner: VersionRunner): Promise<void> {
    await runner.scale(0)
    const { store } = this.#host
    const row = store.worker(this.name)
    const asked = store.versions(this.name).find(({ spec }) => spec.id === runner.spec.id)
    // It was asked for again while it was ending.
    if (asked && !asked.retiring && row && !row.removing) return
    this.versions.delete(runner.spec.id)
    this.#saved.delete(runner.spec.id)
    store.deleteVersion(this.name, runner.spec.id)
    this.#host.tokens.forget(this.name, runner.spec.id)
    this.#host.versionGone(runner.spec)
    if (row?.removing && store.versions(this.name).length === 0) await this.#host.workerGone(this)
  }

  #runner(spec: VersionSpec, counters: ReturnType<typeof parseCounters>): VersionRunner {
    const runner: VersionRunner = new VersionRunner({
      worker: this.name,
      spec,
      counters,
      startInstance: (id, hooks) => this.#start(runner, id, hooks),
      note: (line, instance) => this.#append(spec, instance, 'host', line),
      onChange: () => this.#host.changed(),
    })
    return runner
  }

  async #start(
    runner: VersionRunner,
    id: string,
    hooks: { onChange(): void; onEnd: ConstructorParameters<typeof Instance>[0]['onEnd'] },
  ): Promise<Instance> {
    const { places, marker, artifacts } = this.#host
    const { spec } = runner
    const bindings = await this.#host.bindingsOf(spec)
    const port = await takePort()
    const directory = join(places.run, `${this.name}-${id}`)
    const environment = workerEnvironment({
      ...{
        spec,
        worker: this.name,
        deployment: this.#host.deployment,
        marker,
        instance: id,
        port,
        directory,
        bindings,
      },
      token: this.#host.tokens.of(this.name, spec.id),
      telemetry: this.#host.telemetry(),
      openSecret: (name) => this.#host.secrets.open(name, spec),
    })
    try {
      return new Instance({
        ...{ id, spec, port, directory, environment },
        entry: artifacts.entry(spec.artifact),
        output: new OutputSink((stream, line) => this.#append(spec, id, stream, line)),
        onChange: hooks.onChange,
        onStarted: (pid, startTime) => this.#host.recordProcess(id, this.name, spec.id, pid, startTime),
        onEnd: (end) => {
          givePortBack(port)
          this.#host.forgetProcess(id)
          hooks.onEnd(end)
        },
      })
    } catch (error) {
      givePortBack(port)
      throw error
    }
  }

  #append(spec: VersionSpec, instance: string, stream: LogLine['stream'], line: string): void {
    const entry = { at: Date.now(), version: spec.release, versionId: spec.id, instance, stream, line }
    this.#host.forwardLog(this.name, this.log.append(entry))
  }

  async #open(): Promise<void> {
    if (this.#server) return
    const server = http.createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
      try {
        this.router.handle(request, response)
      } catch (error) {
        report('a request')(error)
        response.destroy()
      }
    })
    server.on('upgrade', (request, socket, head) => {
      try {
        handleUpgrade(this.router, request, socket, head)
      } catch (error) {
        report('an upgrade')(error)
        socket.destroy()
      }
    })
    server.on('clientError', (_error, socket) => socket.destroy())
    const before = this.#host.store.worker(this.name)?.port ?? null
    const port = await listenLocal(server, before)
    if (port !== before) this.#host.store.savePort(this.name, port)
    this.#server = server
  }

  async #close(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (!server) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 2_000).unref()
    })
  }
}
