interface Wanted<V> {
  resolve: (value: V | undefined) => void
  reject: (error: unknown) => void
}

/**
 * Answers many single questions with few queries: what is asked for while others are under way is asked together. Answers undefined for
 * a key that was not found; a query that fails fails those that asked with it, and nobody else.
 */
export class Batcher<V> {
  readonly #read: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>
  readonly #size: number
  readonly #concurrency: number
  readonly #waiting = new Map<string, Wanted<V>[]>()
  #running = 0
  #planned = false

  /**
   * @param options.size keys in one query at most
   * @param options.concurrency queries at once
   */
  constructor(
    read: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>,
    options: { size: number; concurrency: number },
  ) {
    this.#read = read
    this.#size = options.size
    this.#concurrency = options.concurrency
  }

  load(key: string): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      const same = this.#waiting.get(key)
      if (same) same.push({ resolve, reject })
      else this.#waiting.set(key, [{ resolve, reject }])
      this.#plan()
    })
  }

  /** Once everything that is ready now has had its turn: those who were woken together ask together. */
  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      while (this.#running < this.#concurrency && this.#waiting.size > 0) void this.#run()
    })
  }

  async #run(): Promise<void> {
    const batch = [...this.#waiting].slice(0, this.#size)
    for (const [key] of batch) this.#waiting.delete(key)
    this.#running += 1
    try {
      const found = await this.#read(batch.map(([key]) => key))
      for (const [key, wanted] of batch) for (const { resolve } of wanted) resolve(found.get(key))
    } catch (error) {
      for (const [, wanted] of batch) for (const { reject } of wanted) reject(error)
    } finally {
      this.#running -= 1
      if (this.#waiting.size > 0) this.#plan()
    }
  }
}
