import { setTimeout as sleep } from 'node:timers/promises'

/** A few users of each address, at some 60 requests a second, until they are stopped. */
export class Users {
  /** Requests that were not answered with success. */
  failed = 0
  readonly #stop = new AbortController()
  readonly #all: Promise<void>[]

  constructor(urls: readonly string[]) {
    this.#all = urls.flatMap((url) => [1, 2, 3].map(() => this.#use(url)))
  }

  async #use(url: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const good = await fetch(url).then(
        async (response) => (await response.arrayBuffer()) && response.ok,
        () => false,
      )
      if (!good) this.failed++
      await sleep(50)
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#all)
  }
}
