import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage, type RequestListener, type Server } from 'node:http'
import https from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'

export interface TestProxy {
  url: string
  /** Requests or tunnels that came so far. */
  seen: string[]
  stop(): Promise<void>
}

const listening = async (server: Server, scheme: string, seen: string[]): Promise<TestProxy> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    stop: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** What a reverse proxy may do to an exchange. */
export interface Mischief {
  /** The client's connection is cut when the answer has not begun after this long; null: never. */
  cutAfterMs?: number | null
  /** The client's connection is cut after this many bytes of an answer. */
  cutAfterBytes?: (request: IncomingMessage) => number | null
  /** The request goes through, the answer is lost. */
  loseAnswer?: (request: IncomingMessage) => boolean
  /** Answered here, in the manager's place. */
  answer?: (request: IncomingMessage) => { status: number; body: string } | null
}

/** Hands everything on to a manager, with what is asked for going wrong. */
export async function reverseProxy(target: () => string, mischief: Mischief): Promise<TestProxy> {
  const seen: string[] = []
  return listening(http.createServer(handOn(target, mischief, seen)), 'http', seen)
}

function handOn(target: () => string, mischief: Mischief, seen: string[]): RequestListener {
  return (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    const own = mischief.answer?.(request)
    if (own) {
      request.resume()
      response.writeHead(own.status, { 'content-type': 'text/html' }).end(own.body)
      return
    }
    const cut = () => request.socket.destroy()
    const late = mischief.cutAfterMs == null ? null : setTimeout(cut, mischief.cutAfterMs)
    const { method, headers, url } = request
    const onward = http.request(
      `${target()}${url}`,
      { method, headers: { ...headers, connection: 'close' } },
      (answer) => {
        if (late) clearTimeout(late)
        if (mischief.loseAnswer?.(request)) {
          answer.resume()
          answer.on('end', cut)
          return
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        let left = mischief.cutAfterBytes?.(request) ?? Number.POSITIVE_INFINITY
        answer.on('data', (chunk: Buffer) => {
          const part = chunk.subarray(0, Math.max(0, left))
          left -= chunk.length
          if (part.length > 0) response.write(part)
          // What was written has to leave before the end of the connection.
          if (left <= 0) setTimeout(cut, 50)
        })
        answer.on('end', () => left > 0 && response.end())
        answer.on('error', cut)
      },
    )
    onward.on('error', cut)
    response.on('close', () => {
      if (late) clearTimeout(late)
      onward.destroy()
    })
    request.pipe(onward)
  }
}

/** A forward proxy for who knows its password: tunnels (CONNECT), and for plain HTTP whole addresses, as proxies do. */
export async function forwardProxy(user: string, password: string): Promise<TestProxy> {
  const seen: string[] = []
  const right = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const server = http.createServer((request, response) => {
    if (request.headers['proxy-authorization'] !== right) {
      request.resume()
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="test"' }).end()
      return
    }
    const { host, pathname, origin } = new URL(request.url ?? '')
    seen.push(host)
    request.url = pathname
    handOn(() => origin, {}, [])(request, response)
  })
  const open = new Set<Socket>()
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {})
    if (request.headers['proxy-authorization'] !== right) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="test"\r\n\r\n')
      return
    }
    seen.push(request.url ?? '')
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.pipe(socket)
      socket.pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    for (const one of [onward, socket]) {
      open.add(one)
      one.on('close', () => {
        open.delete(one)
        onward.destroy()
        socket.destroy()
      })
    }
  })
  const proxy = await listening(server, 'http', seen)
  return {
    ...proxy,
    stop: async () => {
      for (const socket of open) socket.destroy()
      await proxy.stop()
    },
  }
}

/** A private authority and a front with its certificate, made by openssl; `ca`: the file to trust. */
export async function privateFront(directory: string, target: () => string): Promise<TestProxy & { ca: string }> {
  const at = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test authority')
  const extra = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'server.key',
    '-out',
    'server.pem',
    '-days',
    '2',
    '-subj',
    '/CN=front',
    ...extra,
  )
  const seen: string[] = []
  const tls = { key: readFileSync(at('server.key')), cert: readFileSync(at('server.pem')) }
  const front = await listening(https.createServer(tls, handOn(target, {}, seen)), 'https', seen)
  return { ...front, ca: at('ca.pem') }
}
