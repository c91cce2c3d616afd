import { setTimeout as sleep } from 'node:timers/promises'

/** Users of workers: each address is asked at a steady pace until they leave; every answer that is not 200 is kept. */
export class Users {
  readonly failed: string[] = []
  answers = 0
  readonly #gone = new AbortController()
  readonly #all: Promise<void>[]

  constructor(urls: readonly string[], everyMs = 50) {
    this.#all = urls.map(async (url) => {
      while (!this.#gone.signal.aborted) {
        const answer = await fetch(url).then(
          async (response) => `${response.status} ${await response.text()}`,
          (error: Error) => `no answer: ${error.message} ${String(error.cause)}`,
        )
        if (answer.startsWith('200 ')) this.answers += 1
        else this.failed.push(`${new Date().toISOString()} ${url}: ${answer}`)
        await sleep(everyMs)
      }
    })
  }

  async leave(): Promise<void> {
    this.#gone.abort()
    await Promise.all(this.#all)
  }
}
