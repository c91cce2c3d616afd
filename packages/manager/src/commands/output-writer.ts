import type { Clock } from '@landfall/engine'
import type { Keyring } from '../secrets/keyring.ts'
import type { Database } from '../store/database.ts'
import { outputContext } from './contexts.ts'

const chunkLength = 16_384
/** Of one attempt, in characters: a command that floods its output does not flood the database. */
const maxLength = 1_048_576
const flushMs = 250

/**
 * Gathers what a command writes and stores it in chunks, sealed, while it runs. Beyond a bound the rest is dropped, and said so.
 * A chunk that could not be stored is given up: output is for people, the result counts.
 */
export class OutputWriter {
  readonly #db: Database
  readonly #keyring: Keyring
  readonly #clock: Clock
  readonly #of: { deployment: string; id: string }
  readonly #onFlush: () => void
  readonly #closing = new AbortController()
  #text = ''
  #length = 0
  #next: number | null = null
  #flushing: Promise<void> | null = null

  constructor(deps: {
    db: Database
    keyring: Keyring
    clock: Clock
    of: { deployment: string; id: string }
    onFlush: () => void
  }) {
    this.#db = deps.db
    this.#keyring = deps.keyring
    this.#clock = deps.clock
    this.#of = deps.of
    this.#onFlush = deps.onFlush
  }

  write(chunk: string): void {
    const room = maxLength - this.#length
    if (room <= 0 || this.#closing.signal.aborted) return
    const kept = chunk.slice(0, room)
    this.#length += kept.length
    this.#text += kept.length < chunk.length || kept.length === room ? `${kept}\n[more output was dropped]\n` : kept
    this.#flushing ??= this.#flushSoon()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#flushing
    await this.#store()
  }

  async #flushSoon(): Promise<void> {
    await this.#clock.sleep(flushMs, this.#closing.signal).catch(() => {})
    await this.#store()
    this.#flushing = null
    if (this.#text !== '' && !this.#closing.signal.aborted) this.#flushing = this.#flushSoon()
  }

  async #store(): Promise<void> {
    const { deployment, id } = this.#of
    while (this.#text !== '') {
      const chunk = this.#text.slice(0, chunkLength)
      this.#text = this.#text.slice(chunk.length)
      try {
        this.#next ??= await this.#firstNumber()
        const number = this.#next
        this.#next = number + 1
        const sealed = this.#keyring.seal(chunk, outputContext(deployment, id, number)).toString('base64')
        await this.#db
          .insertInto('command_output')
          .values({ deployment, command: id, number, at: new Date(this.#clock.now()), chunk: sealed })
          .execute()
        this.#onFlush()
      } catch {
        return
      }
    }
  }

  /** Behind what earlier attempts wrote. */
  async #firstNumber(): Promise<number> {
    const row = await this.#db
      .selectFrom('command_output')
      .select((builder) => builder.fn.max('number').as('last'))
      .where('deployment', '=', this.#of.deployment)
      .where('command', '=', this.#of.id)
      .executeTakeFirst()
    return (row?.last ?? -1) + 1
  }
}
