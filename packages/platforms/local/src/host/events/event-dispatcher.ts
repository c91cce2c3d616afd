import type { Invocation } from '@landfall/runtime'
import type { Sql } from '../../shared/sql.ts'
import type { Host } from '../host.ts'
import { guarded } from '../report.ts'
import { leastBusy } from '../router/router.ts'
import type { VersionRunner } from '../supervisor/version-runner.ts'
import type { WorkerHost } from '../worker-host.ts'
import { backoffMs } from './backoff.ts'
import { invokeInstance } from './invoke.ts'

const concurrency = 4
const maxAttempts = 8
const maxWaiting = 100_000

interface Row {
  seq: number
  payload: string
  attempt: number
}

/** Cron and storage events on their way to workers: kept until the trigger version took them, so at least once. */
export class EventDispatcher {
  readonly #host: Host
  readonly #sql: Sql
  readonly #underWay = new Map<string, Set<number>>()
  #timer: NodeJS.Timeout | null = null
  #soon = false
  #stopped = false

  constructor(host: Host, sql: Sql) {
    this.#host = host
    this.#sql = sql
  }

  /**
   * Writes an event down; call it within the transaction of what it tells about. A newer event in the same `slot` takes
   * the place of older ones that no worker has taken yet.
   */
  add(worker: string, payload: Invocation, slot: string | null): void {
    if (slot !== null) {
      const busy = [...(this.#underWay.get(worker) ?? [])].join(',')
      // Numbers of our own, so they can stand in the text.
      this.#sql.database
        .prepare(`DELETE FROM events WHERE worker = ? AND slot = ? AND seq NOT IN (${busy})`)
        .run(worker, slot)
    }
    const waiting = this.#sql.get<{ n: number }>('SELECT count(*) AS n FROM events WHERE worker = ?', worker)?.n ?? 0
    if (waiting >= maxWaiting) {
      this.#host.worker(worker).note(`an event was dropped: ${maxWaiting} are waiting already`)
      return
    }
    this.#sql.run(
      'INSERT INTO events (worker, slot, payload, next) VALUES (?, ?, ?, ?)',
      ...[worker, slot, JSON.stringify(payload), Date.now()],
    )
    this.wake()
  }

  drop(worker: string): void {
    this.#sql.run('DELETE FROM events WHERE worker = ?', worker)
  }

  wake(): void {
    if (this.#soon || this.#stopped) return
    this.#soon = true
    setImmediate(() => {
      this.#soon = false
      if (this.#stopped) return
      // Again after a while whatever happens here.
      this.#wakeIn(1_000)
      guarded('handing out events', () => this.#pump())
    })
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  #pump(): void {
    for (const worker of this.#host.workers.values()) {
      const runner = worker.triggerVersion()
      if (runner && runner.ready().length > 0) this.#feed(worker, runner)
    }
    this.#wakeIn(500)
  }

  #wakeIn(ms: number): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.wake(), ms).unref()
  }

  #feed(worker: WorkerHost, runner: VersionRunner): void {
    const underWay = this.#underWay.get(worker.name) ?? new Set<number>()
    this.#underWay.set(worker.name, underWay)
    const rows = this.#sql.all<Row>(
      'SELECT seq, payload, attempt FROM events WHERE worker = ? AND next <= ? ORDER BY next, seq LIMIT ?',
      ...[worker.name, Date.now(), concurrency * 2],
    )
    for (const row of rows) {
      if (underWay.size >= concurrency) return
      if (underWay.has(row.seq)) continue
      underWay.add(row.seq)
      const work = this.#deliver(worker, runner, row).finally(() => {
        underWay.delete(row.seq)
        this.wake()
      })
      this.#host.track(work)
    }
  }

  async #deliver(worker: WorkerHost, runner: VersionRunner, row: Row): Promise<void> {
    const payload = JSON.parse(row.payload) as Invocation
    const instance = leastBusy(runner.ready())
    if (!instance) return
    if (!wants(runner, payload)) {
      this.#sql.run('DELETE FROM events WHERE seq = ?', row.seq)
      return
    }
    const result = await invokeInstance(instance, this.#host.tokens.of(worker.name, runner.spec.id), payload, {
      signal: AbortSignal.timeout(runner.spec.timeoutMs),
    })
    if (result.ok) {
      this.#sql.run('DELETE FROM events WHERE seq = ?', row.seq)
      return
    }
    const attempt = row.attempt + 1
    const failure = `${payload.kind} event failed (${result.error.code}), attempt ${attempt} of ${maxAttempts}`
    if (attempt >= maxAttempts) {
      this.#sql.run('DELETE FROM events WHERE seq = ?', row.seq)
      worker.note(`${failure}; given up`)
      return
    }
    worker.note(failure)
    const next = Date.now() + backoffMs(attempt, 500, 60_000)
    this.#sql.run('UPDATE events SET attempt = ?, next = ? WHERE seq = ?', attempt, Math.ceil(next), row.seq)
  }
}

/** Whether this version still has the trigger that the event was made for. */
function wants(runner: VersionRunner, payload: Invocation): boolean {
  return runner.spec.triggers.some(
    (trigger) =>
      (trigger.kind === 'cron' && payload.kind === 'cron' && trigger.schedule === payload.schedule) ||
      (trigger.kind === 'storage' && payload.kind === 'storage' && trigger.storage === payload.storage),
  )
}
