import { get } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

interface Member {
  port: number
  /** `ready`: gets new connections · `away`: none, what it has is finished · `silent`: what it has is cut too */
  state: 'ready' | 'away' | 'silent'
  open: Set<Socket>
}

/**
 * A plain TCP balancer: each connection goes to the next member whose `/ready` answered 200 within three seconds. Who answers otherwise, or
 * refuses connections, gets no new ones; who says nothing at all also loses those that it has, as they would hang. With nobody ready
 * it asks whoever listens, so that clients hear the managers' own refusals.
 */
export class Balancer {
  readonly port: number
  #members: Member[] = []
  #next = 0
  readonly #close: () => void

  private constructor(port: number, close: () => void) {
    this.port = port
    this.#close = close
  }

  static async start(port = 0): Promise<Balancer> {
    let balancer: Balancer | null = null
    const server = createServer({ pauseOnConnect: true }, (client) => {
      client.on('error', () => {})
      if (balancer) balancer.#hand(client, balancer.#order())
      else client.destroy()
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const started = new Balancer((server.address() as AddressInfo).port, () => {
      clearInterval(probing)
      server.close()
    })
    const probing = setInterval(() => {
      for (const member of started.#members) probe(member)
    }, 200)
    balancer = started
    return started
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get ready(): number[] {
    return this.#members.filter(({ state }) => state === 'ready').map(({ port }) => port)
  }

  add(port: number): void {
    const member: Member = { port, state: 'away', open: new Set() }
    this.#members.push(member)
    probe(member)
  }

  remove(port: number): void {
    this.#members = this.#members.filter((member) => member.port !== port)
  }

  stop(): void {
    this.#close()
    for (const { open } of this.#members) for (const socket of open) socket.destroy()
  }

  /** Ready ones first, in turn; the silent ones never. */
  #order(): Member[] {
    const from = this.#next++
    const turned = this.#members.map((_, index) => this.#members[(from + index) % this.#members.length] as Member)
    const ready = turned.filter(({ state }) => state === 'ready')
    return [...ready, ...turned.filter(({ state }) => state === 'away')]
  }

  #hand(client: Socket, [member, ...others]: Member[]): void {
    if (!member) return void client.destroy()
    const onward = connect(member.port, '127.0.0.1')
    let through = false
    onward.on('error', () => {
      // Refused before a byte went through: the next one may have it.
      if (!through && !client.destroyed) this.#hand(client, others)
    })
    onward.once('connect', () => {
      through = true
      for (const [one, other] of [
        [client, onward],
        [onward, client],
      ] as const) {
        member.open.add(one)
        one.on('close', () => {
          member.open.delete(one)
          other.destroy()
        })
        one.pipe(other)
      }
    })
  }
}

function probe(member: Member): void {
  const become = (state: Member['state']) => {
    member.state = state
    if (state === 'silent') for (const socket of member.open) socket.destroy()
  }
  const request = get({ host: '127.0.0.1', port: member.port, path: '/ready', agent: false }, (response) => {
    response.resume()
    clearTimeout(late)
    become(response.statusCode === 200 ? 'ready' : 'away')
  })
  const late = setTimeout(() => {
    become('silent')
    request.destroy()
  }, 3_000)
  request.on('error', () => {
    clearTimeout(late)
    if (member.state !== 'silent') become('away')
  })
}
