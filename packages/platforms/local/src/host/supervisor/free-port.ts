import { createServer } from 'node:net'

const taken = new Set<number>()

/** A port of 127.0.0.1 that nobody listens on, and that this daemon has given to none of its other workers. */
export async function takePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.on('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
      })
    })
    if (taken.has(port)) continue
    taken.add(port)
    return port
  }
}

export function givePortBack(port: number): void {
  taken.delete(port)
}
