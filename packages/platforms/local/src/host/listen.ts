import type { Server } from 'node:http'
import { report } from './report.ts'

/** Listens on 127.0.0.1 at `wanted`, or at a free port when that is taken; resolves with the port. */
export async function listenLocal(server: Server, wanted: number | null): Promise<number> {
  // After it listens too: to accept a connection can fail for want of file descriptors.
  server.on('error', report('listening'))
  for (const port of wanted === null ? [0] : [wanted, 0]) {
    const got = await new Promise<number | null>((resolve) => {
      const failed = () => resolve(null)
      server.once('error', failed)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', failed)
        const address = server.address()
        resolve(typeof address === 'object' && address ? address.port : null)
      })
    })
    if (got !== null) return got
  }
  throw new Error('no port of 127.0.0.1 can be listened on')
}
