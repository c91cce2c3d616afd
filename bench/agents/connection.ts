import { connect, type Socket } from 'node:net'

/** A keep-alive connection that sends ready-made requests and reads answers by their length: lean, so that it is not what is measured. */
export class Connection {
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #answered: (status: number, answer: Buffer) => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  static open(port: number, onLost: (error: Error) => void): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(new Connection(socket)))
      socket.once('error', (error) => {
        reject(error)
        onLost(error)
      })
      socket.once('close', () => onLost(new Error('the connection was closed')))
    })
  }

  /** Sends one; the answer comes to the callback, head and body. */
  send(request: Buffer, answered: (status: number, answer: Buffer) => void): void {
    this.#answered = answered
    this.#socket.write(request)
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const end = all.indexOf('\r\n\r\n')
    if (end === -1) {
      this.#rest = all
      return
    }
    const head = all.toString('latin1', 0, end)
    const size = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    const chunked = size === undefined
    const whole = chunked ? all.subarray(-5).equals(last) : all.length >= end + 4 + Number(size)
    this.#rest = whole ? Buffer.alloc(0) : all
    if (whole) this.#answered(Number(head.slice(9, 12)), all)
  }
}

const last = Buffer.from('0\r\n\r\n')

/** A sync as an agent sends it, in bytes. */
export function syncBytes(
  port: number,
  token: string,
  body: { known: number; wait: number; commandRoom: number },
): Buffer {
  const text = JSON.stringify(body)
  const head = [
    'POST /api/agent/sync HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`)
}
