import type { SyncRequest } from '@landfall/contract'
import type { WaitingCommands } from '../command-handover.ts'
import type { Known } from './read-known.ts'

const none: WaitingCommands = { queued: 0, cancel: [] }

/** A sync that is held until there is something new. */
interface Waiter {
  request: SyncRequest
  end: () => void
}

/** What the hub knows of one agent between its syncs. */
export class Connection {
  known: Known
  commands: WaitingCommands = none
  seenAt = 0
  waiter: Waiter | null = null
  /** Cancellations and keyset version that were told already: they end no other wait. */
  readonly #cancelled = new Set<string>()
  #keyset: number

  constructor(known: Known) {
    this.known = known
    this.#keyset = known.keyset
  }

  /** What was read: a query that was slow must not take back what is known by now. */
  update(read: Known): void {
    const { known } = this
    const newer = read.session > known.session
    const said = newer || read.reported > known.reported ? read : known
    this.known = {
      ...read,
      session: Math.max(read.session, known.session),
      generation: Math.max(read.generation, known.generation),
      keyset: Math.max(read.keyset, known.keyset),
      reported: said.reported,
      audit: said.audit,
    }
    // A session that began at another manager ends the wait of the one before.
    if (newer) this.waiter?.end()
    else this.#wake()
  }

  /** A generation that was asked. */
  raise(generation: number): void {
    if (generation <= this.known.generation) return
    this.known = { ...this.known, generation }
    this.#wake()
  }

  setCommands(commands: WaitingCommands = none): void {
    this.commands = commands
    for (const id of this.#cancelled) if (!commands.cancel.includes(id)) this.#cancelled.delete(id)
    this.#wake()
  }

  /** Whether an answer to this request would tell anything. */
  hasNews(request: SyncRequest): boolean {
    const { known, commands } = this
    return (
      known.generation > request.known ||
      (commands.queued > 0 && request.commandRoom > 0) ||
      commands.cancel.some((id) => !this.#cancelled.has(id)) ||
      known.keyset > this.#keyset
    )
  }

  /** Remembers what an answer tells; whether any of it is told for the first time. */
  told(cancel: readonly string[]): boolean {
    const fresh = cancel.some((id) => !this.#cancelled.has(id)) || this.known.keyset > this.#keyset
    for (const id of cancel) this.#cancelled.add(id)
    this.#keyset = this.known.keyset
    return fresh
  }

  #wake(): void {
    if (this.waiter && this.hasNews(this.waiter.request)) this.waiter.end()
  }
}
