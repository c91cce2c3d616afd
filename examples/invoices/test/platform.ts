import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Binding, Invocation, InvocationLine } from '@landfall/runtime'

const token = 'token-of-the-test'

/**
 * Just enough of a platform to run built workers by the runtime's protocol: bindings in memory, messages kept until they are
 * taken. What a platform really promises is tested with the platforms.
 */
export class TestPlatform {
  readonly objects = new Map<string, { body: Buffer; type: string }>()
  readonly items = new Map<string, { body: Buffer; version: number }>()
  readonly messages: { id: string; body: string }[] = []
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response))
  readonly #workers: ChildProcess[] = []

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async stop(): Promise<void> {
    for (const worker of this.#workers) worker.kill('SIGKILL')
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Starts a built worker and waits until it answers its health check. */
  async run(name: string, entry: string, uses: Readonly<Record<string, Binding['type']>>): Promise<string> {
    const port = await freePort()
    const { port: own } = this.#server.address() as AddressInfo
    const bindings = Object.entries(uses).map(([resource, type]) => [
      resource,
      { type, driver: 'http', url: `http://127.0.0.1:${own}/${type}` },
    ])
    const worker = spawn(process.execPath, ['--enable-source-maps', entry], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        LANDFALL_DEPLOYMENT: 'd-1',
        LANDFALL_WORKER: name,
        LANDFALL_VERSION: 'test',
        LANDFALL_VERSION_ID: `sha256:${'0'.repeat(64)}`,
        LANDFALL_BINDINGS: JSON.stringify(Object.fromEntries(bindings)),
        LANDFALL_TOKEN: token,
      },
    })
    this.#workers.push(worker)
    const url = `http://127.0.0.1:${port}`
    for (;;) {
      if (worker.exitCode !== null) throw new Error(`${name} ended with ${worker.exitCode}`)
      const response = await fetch(`${url}/healthz`).catch(() => null)
      if (response?.ok) return url
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async invoke(url: string, invocation: Invocation): Promise<InvocationLine[]> {
    const response = await fetch(`${url}/_landfall/invoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(invocation),
    })
    const lines = (await response.text()).trim().split('\n')
    return lines.map((line): InvocationLine => JSON.parse(line))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray())
    const url = new URL(request.url ?? '/', 'http://x')
    const [, type, kind, ...rest] = url.pathname.split('/')
    const key = rest.map(decodeURIComponent).join('\0')
    if (request.headers.authorization !== `Bearer ${token}`) response.writeHead(403).end()
    else if (type === 'secret') response.end('the-key')
    else if (type === 'queue') {
      const id = `m-${this.messages.length + 1}`
      this.messages.push({ id, body: body.toString('base64') })
      response.end(JSON.stringify({ id }))
    } else if (kind === 'objects' && key !== '') this.#object(request, response, key, body)
    else if (kind === 'objects') {
      const keys = [...this.objects.keys()].filter((one) => one.startsWith(url.searchParams.get('prefix') ?? ''))
      const objects = keys.sort().map((one) => ({ key: one, etag: 'e', size: 0, contentType: '', modifiedAt: 0 }))
      response.end(JSON.stringify({ objects, next: null }))
    } else if (rest.length === 2) this.#item(request, response, key, body)
    else {
      const prefix = `${key}\0${url.searchParams.get('prefix') ?? ''}`
      const items = [...this.items]
        .filter(([one]) => one.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([one, { body: value, version }]) => ({
          key: one.split('\0')[1],
          version,
          value: value.toString('base64'),
        }))
      response.end(JSON.stringify({ items, next: null }))
    }
  }

  #object(request: IncomingMessage, response: ServerResponse, key: string, body: Buffer): void {
    const found = this.objects.get(key)
    if (request.method === 'PUT') {
      this.objects.set(key, { body, type: request.headers['content-type'] ?? '' })
      response.setHeader('etag', '"e"').end()
    } else if (!found) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': found.type, etag: '"e"' }).end(found.body)
  }

  #item(request: IncomingMessage, response: ServerResponse, key: string, body: Buffer): void {
    const found = this.items.get(key)
    const expected = request.headers['if-match']
    if (request.method === 'PUT') {
      if (expected && expected !== `"${found?.version}"`) return void response.writeHead(412).end()
      const version = (found?.version ?? 0) + 1
      this.items.set(key, { body, version })
      response.setHeader('etag', `"${version}"`).end()
    } else if (!found) response.writeHead(404).end()
    else response.writeHead(200, { etag: `"${found.version}"` }).end(found.body)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
