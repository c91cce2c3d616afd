import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

const windowMs = 100
/** Per process and window: what is kept, and what is read at all. Beyond the second the process has to wait for its pipe. */
const keptBytes = 128 * 1024
const keptLines = 200
const readBytes = 8 * 1024 * 1024
/** Longer than the longest text of the runtime's log, so that its lines stay whole. */
const maxLine = 64 * 1024

export type LineWriter = (stream: 'stdout' | 'stderr' | 'host', line: string) => void

/**
 * Takes a process's output line by line. A flood is cut: lines beyond the rate are dropped and counted, and a process
 * that writes faster than dropping costs little is slowed down by its own pipe.
 */
export class OutputSink {
  readonly #write: LineWriter
  readonly #streams: Readable[] = []
  readonly #rests: (() => void)[] = []
  #lines = 0
  #bytes = 0
  #read = 0
  #dropped = 0
  #timer: NodeJS.Timeout | null = null

  constructor(write: LineWriter) {
    this.#write = write
  }

  attach(stream: Readable, name: 'stdout' | 'stderr'): void {
    const decoder = new StringDecoder('utf8')
    let rest = ''
    this.#streams.push(stream)
    this.#rests.push(() => {
      if (rest !== '') this.#line(name, rest)
      rest = ''
    })
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => {
      this.#arm()
      this.#read += chunk.length
      if (this.#read > readBytes) for (const each of this.#streams) each.pause()
      if (this.#bytes > keptBytes) {
        // Not even decoded: only counted.
        for (const byte of chunk) if (byte === 10) this.#dropped++
        rest = ''
        return
      }
      const parts = (rest + decoder.write(chunk)).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) this.#line(name, part)
      if (rest.length > maxLine) {
        this.#line(name, rest)
        rest = ''
      }
    })
  }

  close(): void {
    for (const flush of this.#rests) flush()
    this.#window()
  }

  #line(stream: 'stdout' | 'stderr', line: string): void {
    this.#arm()
    this.#lines++
    this.#bytes += line.length + 1
    if (this.#lines > keptLines || this.#bytes > keptBytes) this.#dropped++
    else this.#write(stream, line.length > maxLine ? `${line.slice(0, maxLine)}… (cut)` : line)
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#window(), windowMs).unref()
  }

  #window(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#dropped > 0)
      this.#write('host', `${this.#dropped} lines were dropped: more than ${keptLines} in ${windowMs} ms`)
    this.#lines = 0
    this.#bytes = 0
    this.#read = 0
    this.#dropped = 0
    for (const stream of this.#streams) if (stream.isPaused()) stream.resume()
  }
}
