import type { Clock } from '../ports/clock.ts'
import type { CommandPort, HeldCommand } from './command-port.ts'
import { commandLimits } from './limits.ts'
import { cutBytes, cutText } from './text-pieces.ts'

const flushMs = 250
const slowestFlushMs = 30_000

/**
 * How long what was written waits to be stored, in milliseconds: the more pieces a command has, the longer, so that one that
 * writes a line a second for hours stays within its pieces.
 */
export const flushPause = (chunks: number): number => Math.min(slowestFlushMs, flushMs * 2 ** Math.floor(chunks / 32))

/**
 * Gathers what a command writes and stores it in numbered pieces while it runs. Beyond a bound the rest is dropped, counted, and
 * said so at the end. A piece that could not be stored ends it: output is for people, the result counts.
 */
export class OutputWriter {
  readonly #port: CommandPort
  readonly #clock: Clock
  readonly #held: HeldCommand
  readonly #onFlush: () => void
  readonly #closing = new AbortController()
  #text = ''
  #taken = 0
  #dropped = 0
  #broken = false
  #extent: { next: number; chunks: number; bytes: number } | null = null
  #flushing: Promise<void> | null = null

  constructor(deps: { port: CommandPort; clock: Clock; held: HeldCommand; onFlush: () => void }) {
    this.#port = deps.port
    this.#clock = deps.clock
    this.#held = deps.held
    this.#onFlush = deps.onFlush
  }

  write(chunk: string): void {
    if (this.#closing.signal.aborted || chunk === '') return
    const size = Buffer.byteLength(chunk)
    const kept = cutBytes(chunk, commandLimits.maxOutputBytes - this.#taken)
    const keptSize = kept === chunk ? size : Buffer.byteLength(kept)
    this.#taken += keptSize
    this.#dropped += size - keptSize
    this.#text += kept
    if (this.#text !== '') this.#flushing ??= this.#flushSoon()
  }

  /** Stores what is left. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#flushing
    await this.#store()
    if (this.#dropped === 0) return
    this.#text = `\n[${this.#dropped} bytes of output were dropped]\n`
    await this.#store(true)
  }

  async #flushSoon(): Promise<void> {
    await this.#clock.sleep(flushPause(this.#extent?.chunks ?? 0), this.#closing.signal).catch(() => {})
    await this.#store()
    this.#flushing = null
    if (this.#text !== '' && !this.#closing.signal.aborted) this.#flushing = this.#flushSoon()
  }

  /** @param last what the loop itself writes: it has room of its own */
  async #store(last = false): Promise<void> {
    while (this.#text !== '' && !this.#broken) {
      const chunk = cutText(this.#text, commandLimits.chunkLength)
      this.#text = this.#text.slice(chunk.length)
      try {
        this.#extent ??= await this.#port.written(this.#held)
        const extent = this.#extent
        const size = Buffer.byteLength(chunk)
        const room = commandLimits.maxOutputBytes - extent.bytes
        if (!last && (extent.chunks >= commandLimits.maxOutputChunks || size > room)) {
          this.#dropped += size
          continue
        }
        const piece = { number: extent.next, at: this.#clock.now(), chunk }
        this.#broken = !(await this.#port.output(this.#held, piece))
        this.#extent = { next: extent.next + 1, chunks: extent.chunks + 1, bytes: extent.bytes + size }
        this.#onFlush()
      } catch {
        this.#broken = true
      }
    }
    if (this.#broken) this.#text = ''
  }
}
