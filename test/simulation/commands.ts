import type { Invoker } from '@landfall/engine'
import type { Envelope } from '@landfall/release'
import { signFor } from './command-keys.ts'
import { type CommandSeams, cancelCommand, queueCommand } from './command-store.ts'
import { CommandTable } from './command-table.ts'
import { CommandWatch } from './command-watch.ts'
import { createInvoker, type Work } from './command-worker.ts'
import type { DeploymentRow } from './rows.ts'
import type { Life, Scheduler } from './scheduler.ts'
import type { Site } from './site.ts'
import type { Truth } from './truth.ts'

export interface SendCommand {
  key: string
  work: Work
  forMs: number
}

/** All commands of a world: what people send and cancel, what bundles carry, and what is checked of it. */
export class Commands {
  readonly table = new CommandTable()
  readonly watch: CommandWatch
  readonly seams: CommandSeams
  readonly #scheduler: Scheduler
  readonly #truth: Truth
  readonly #signed = new Map<string, Envelope>()
  readonly #ids = new Map<string, { deployment: string; id: string }>()

  readonly #stops = new Map<string, (process: string) => void>()

  constructor(deps: {
    scheduler: Scheduler
    truth: Truth
    seams: CommandSeams
    fail: (invariant: string, message: string) => void
  }) {
    const { scheduler, truth, seams, fail } = deps
    this.#scheduler = scheduler
    this.#truth = truth
    this.seams = seams
    this.watch = new CommandWatch({ scheduler, truth, table: this.table, fail })
  }

  /** The way of one process to the workers of a site. */
  invoker(site: Site, life: Life): Invoker {
    return createInvoker({ scheduler: this.#scheduler, truth: this.#truth, watch: this.watch, site, life })
  }

  /** Sends a command under a key, once more or for the first time; to a site without network it is signed, once. */
  send(row: DeploymentRow, { key, work, forMs }: SendCommand, at: number): void {
    if (row.deleted || row.operation !== 'run') return
    const { id: deployment } = row
    const known = this.#ids.get(key)
    const deadline = known ? (this.table.find(deployment, known.id)?.state.deadline ?? at) : at + forMs
    const order = { deployment, by: 'ada', key, worker: 'api', command: 'work', input: { work }, deadline, at }
    if (row.model !== 'airgapped') {
      const id = queueCommand(this.table, order, this.seams)
      this.watch.sent(key, id)
      this.#ids.set(key, { deployment, id })
      return
    }
    if (known) return
    const id = queueCommand(this.table, order)
    const made = this.table.find(deployment, id)
    if (made) this.table.put({ ...made, via: 'bundle' })
    this.#ids.set(key, { deployment, id })
    void signFor({ deployment, id, input: order.input, issuedAt: at, expiresAt: deadline }).then((envelope) =>
      this.#signed.set(`${deployment} ${id}`, envelope),
    )
  }

  /** Once a manager claims what is sent under a key, its name is told. */
  stopClaimer(key: string, stop: (process: string) => void): void {
    this.#stops.set(key, stop)
  }

  claimed(process: string, { deployment, id }: { deployment: { id: string }; id: string }): void {
    for (const [key, stop] of this.#stops) {
      const of = this.#ids.get(key)
      if (of?.id !== id || of.deployment !== deployment.id) continue
      this.#stops.delete(key)
      stop(process)
    }
  }

  cancel(key: string, at: number): void {
    const of = this.#ids.get(key)
    const row = of && this.table.find(of.deployment, of.id)
    // What is carried can't be called back.
    if (row?.via !== 'direct') return
    if (cancelCommand(this.table, { deployment: row.deployment, id: row.id, at }, this.seams)) this.watch.cancelled(row)
  }

  /** What a bundle made now brings a site: everything signed for it whose end is not known. */
  carried(deployment: string): string[] {
    return this.table
      .list()
      .filter((row) => row.deployment === deployment && row.state.finishedAt === null)
      .flatMap((row) => this.#signed.get(`${deployment} ${row.id}`) ?? [])
      .map((envelope) => JSON.stringify(envelope))
  }
}
