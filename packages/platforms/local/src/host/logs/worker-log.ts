import { appendFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LogLine } from '../../shared/control.ts'

const maxFileBytes = 4 * 1024 * 1024
const files = 4
const maxPending = 5_000
const flushMs = 50

/** A worker's output as NDJSON in a few rotating files, with followers. Writing never holds the worker up. */
export class WorkerLog {
  readonly #path: string
  readonly #followers = new Set<(line: LogLine) => void>()
  #pending: LogLine[] = []
  #lost = 0
  #last = 0
  #size: number | null = null
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> = Promise.resolve()

  /** @param path of the newest file; older ones get `.1`, `.2`, … */
  constructor(path: string) {
    this.#path = path
  }

  append(entry: Omit<LogLine, 'n'>): LogLine {
    // Microseconds of the clock, moved on where lines come faster: it goes on growing over restarts.
    this.#last = Math.max(this.#last + 1, entry.at * 1_000)
    const line: LogLine = { n: this.#last, ...entry }
    for (const follow of this.#followers) follow(line)
    if (this.#pending.length >= maxPending) {
      this.#lost++
      return line
    }
    this.#pending.push(line)
    this.#timer ??= setTimeout(() => void this.flush(), flushMs).unref()
    return line
  }

  follow(listener: (line: LogLine) => void): () => void {
    this.#followers.add(listener)
    return () => this.#followers.delete(listener)
  }

  /** Lines at or after `since`, oldest first. A line cut by a crash is left out. */
  async read(since: number): Promise<LogLine[]> {
    await this.flush()
    const lines: LogLine[] = []
    for (let index = files - 1; index >= 0; index--) {
      const text = await readFile(this.#file(index), 'utf8').catch(() => '')
      for (const row of text.split('\n')) {
        if (row === '') continue
        try {
          const line = JSON.parse(row) as LogLine
          if (line.at >= since) lines.push(line)
        } catch {}
      }
    }
    return lines
  }

  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    // A full disk loses lines, never the worker.
    this.#writing = this.#writing.then(() => this.#drain()).catch(() => {})
    return this.#writing
  }

  #file(index: number): string {
    return index === 0 ? this.#path : `${this.#path}.${index}`
  }

  async #drain(): Promise<void> {
    const batch = this.#pending
    if (batch.length === 0) return
    this.#pending = []
    const last = batch.at(-1)
    if (this.#lost > 0 && last) {
      batch.push({ ...last, stream: 'host', line: `${this.#lost} lines were lost: the disk is too slow` })
      this.#lost = 0
    }
    if (this.#size === null) {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
      this.#size = (await stat(this.#path).catch(() => null))?.size ?? 0
    }
    const text = batch.map((line) => `${JSON.stringify(line)}\n`).join('')
    await appendFile(this.#path, text, { mode: 0o600 })
    this.#size += Buffer.byteLength(text)
    if (this.#size > maxFileBytes) await this.#rotate()
  }

  async #rotate(): Promise<void> {
    await rm(this.#file(files - 1), { force: true })
    for (let index = files - 2; index >= 0; index--) {
      await rename(this.#file(index), this.#file(index + 1)).catch(() => {})
    }
    this.#size = 0
  }
}
