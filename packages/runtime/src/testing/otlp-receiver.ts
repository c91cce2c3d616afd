import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Received } from './worker-process.ts'

/** A real HTTP server that takes OTLP, and answers what it is told to. */
export async function startReceiver(status: (path: string) => number = () => 200) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const path = request.url ?? ''
    received.push({ path, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) })
    response.statusCode = status(path)
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Every value under a key, anywhere in a JSON value. */
export function under(value: unknown, key: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => under(one, key))
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, member]) => [...(name === key ? [member] : []), ...under(member, key)])
}
