import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Invocation, InvocationLine } from '@landfall/runtime'

export interface Received {
  invocation: Invocation
  /** Release version of the worker that got it. */
  version: string
  answer(...lines: InvocationLine[]): void
}

/** Where `relay` workers hand their invocations to. */
export class Invocations {
  readonly #server: Server
  #waiting: Received[] = []
  #wake: (() => void) | null = null
  /** Answers at once, where set. */
  onReceived: ((received: Received) => void) | null = null

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const received: Received = {
          invocation: JSON.parse(Buffer.concat(parts).toString()) as Invocation,
          version: String(request.headers.version),
          answer: (...lines) => send(response, lines),
        }
        if (this.onReceived) return this.onReceived(received)
        this.#waiting.push(received)
        this.#wake?.()
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  }

  /** The next that has not been taken. */
  async next(): Promise<Received> {
    for (;;) {
      const received = this.#waiting.shift()
      if (received) return received
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

function send(response: ServerResponse, lines: readonly InvocationLine[]): void {
  response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}
