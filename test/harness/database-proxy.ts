import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type Acknowledged, WireTap } from './wire-tap.ts'

/** A door between managers and their PostgreSQL that can be shut, slow, silent, or lead elsewhere; hears what was acknowledged. */
export class DatabaseProxy {
  readonly url: string
  readonly acknowledged: Acknowledged
  readonly #server: Server
  readonly #open = new Set<Socket>()
  #to: { host: string; port: number }
  #shut = false
  #silent: (() => void)[] | null = null
  #delayMs = 0

  private constructor(server: Server, to: string, acknowledged: Acknowledged) {
    this.#server = server
    this.acknowledged = acknowledged
    this.#to = target(to)
    const through = new URL(to)
    through.hostname = '127.0.0.1'
    through.port = String((server.address() as AddressInfo).port)
    this.url = through.href
  }

  static async start(to: string): Promise<DatabaseProxy> {
    let proxy: DatabaseProxy | null = null
    const server = createServer((client) => (proxy ? proxy.#join(client) : client.destroy()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const started = new DatabaseProxy(server, to, { claims: [], links: new Set() })
    proxy = started
    return started
  }

  /** As when the server is gone: what is open breaks, new connections break at once. */
  shut(): void {
    this.#shut = true
    this.cut()
  }

  open(): void {
    this.#shut = false
  }

  cut(): void {
    for (const socket of this.#open) socket.destroy()
  }

  /** As when the network swallows all: connections are taken, stay open, and nothing passes any more. */
  fallSilent(): void {
    this.#silent ??= []
  }

  /** What was swallowed is delivered, as TCP does after an outage. */
  speak(): void {
    const held = this.#silent ?? []
    this.#silent = null
    for (const pass of held) pass()
  }

  /** Each way. */
  slow(ms: number): void {
    this.#delayMs = ms
  }

  /** Leads to another server from now; what is open breaks. */
  pointTo(url: string): void {
    this.#to = target(url)
    this.cut()
  }

  stop(): void {
    this.#server.close()
    this.cut()
  }

  #join(client: Socket): void {
    client.on('error', () => {})
    if (this.#shut) return void client.destroy()
    const upstream = connect(this.#to)
    const tap = new WireTap(this.acknowledged)
    this.#pass(client, upstream, (chunk) => tap.fromClient(chunk))
    this.#pass(upstream, client, (chunk) => tap.fromServer(chunk))
  }

  #pass(from: Socket, to: Socket, hear: (chunk: Buffer) => void): void {
    this.#open.add(from)
    from.on('error', () => {})
    from.on('close', () => {
      this.#open.delete(from)
      to.destroySoon()
    })
    // In order, whatever the delay is meanwhile.
    const queue: { due: number; chunk: Buffer }[] = []
    const deliver = () => {
      while (queue[0] && !to.destroyed) {
        if (this.#silent) return void this.#silent.push(deliver)
        const wait = queue[0].due - performance.now()
        if (wait > 0) {
          setTimeout(deliver, wait)
          return
        }
        const { chunk } = queue.shift() ?? { chunk: Buffer.alloc(0) }
        // What reaches the manager is what it may act on; what never did was never acknowledged.
        hear(chunk)
        to.write(chunk)
      }
    }
    from.on('data', (chunk: Buffer) => {
      const first = queue.length === 0
      queue.push({ due: performance.now() + this.#delayMs, chunk })
      if (first) deliver()
    })
  }
}

function target(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
