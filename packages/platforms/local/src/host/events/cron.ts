import { Cron } from 'croner'
import type { Sql } from '../../shared/sql.ts'
import type { Host } from '../host.ts'
import { guarded } from '../report.ts'
import type { EventDispatcher } from './event-dispatcher.ts'

const tickMs = 500

/**
 * Writes a cron event down when its time has come. What was missed while the host was down is made good by one run, the
 * newest. The version that the triggers point at decides the schedules.
 */
export class CronClock {
  readonly #host: Host
  readonly #sql: Sql
  readonly #events: EventDispatcher
  readonly #parsed = new Map<string, Cron>()
  readonly #timer: NodeJS.Timeout

  constructor(host: Host, sql: Sql, events: EventDispatcher) {
    this.#host = host
    this.#sql = sql
    this.#events = events
    this.#timer = setInterval(() => guarded('cron', () => this.tick(Date.now())), tickMs).unref()
  }

  tick(now: number): void {
    for (const worker of this.#host.workers.values()) {
      const runner = worker.triggerVersion()
      if (!runner) continue
      const schedules = runner.spec.triggers.flatMap((trigger) => (trigger.kind === 'cron' ? [trigger.schedule] : []))
      for (const schedule of schedules) this.#one(worker.name, schedule, now)
      this.#forgetOthers(worker.name, schedules)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  drop(worker: string): void {
    this.#sql.run('DELETE FROM cron WHERE worker = ?', worker)
  }

  #one(worker: string, schedule: string, now: number): void {
    const row = this.#sql.get<{ last: number }>(
      'SELECT last FROM cron WHERE worker = ? AND schedule = ?',
      worker,
      schedule,
    )
    if (!row) {
      // From here on: what was before the trigger existed is not missed.
      this.#sql.run('INSERT INTO cron VALUES (?, ?, ?)', worker, schedule, now)
      return
    }
    const cron = this.#cron(schedule)
    const due = cron.nextRun(new Date(row.last))?.getTime()
    if (due === undefined || due > now) return
    // The newest that has come; the ones between are not made good.
    const newest = cron.previousRuns(1, new Date(now + 1))[0]?.getTime() ?? due
    const scheduledAt = Math.max(due, newest)
    this.#sql.transaction(() => {
      this.#sql.run('UPDATE cron SET last = ? WHERE worker = ? AND schedule = ?', scheduledAt, worker, schedule)
      this.#events.add(worker, { kind: 'cron', schedule, scheduledAt }, `cron ${schedule}`)
    })
  }

  /** A schedule that comes back later starts anew. */
  #forgetOthers(worker: string, schedules: readonly string[]): void {
    for (const { schedule } of this.#sql.all<{ schedule: string }>(
      'SELECT schedule FROM cron WHERE worker = ?',
      worker,
    )) {
      if (!schedules.includes(schedule)) {
        this.#sql.run('DELETE FROM cron WHERE worker = ? AND schedule = ?', worker, schedule)
      }
    }
  }

  #cron(schedule: string): Cron {
    let cron = this.#parsed.get(schedule)
    if (!cron) {
      cron = new Cron(schedule, { timezone: 'UTC', paused: true })
      this.#parsed.set(schedule, cron)
    }
    return cron
  }
}
