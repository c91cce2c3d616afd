import http, { type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { endToEnd, forwarded } from './headers.ts'
import { pathOf, type Router } from './router.ts'

/** Passes an upgrade (websockets) on to one instance and joins the two connections; it counts as in flight while it lasts. */
export function handleUpgrade(router: Router, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy())
  const path = pathOf(request, '')
  const picked = path.startsWith('/_landfall/') ? null : router.pick()
  if (!picked) {
    socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    return
  }
  const { runner, instance } = picked
  const startedAt = performance.now()
  let settled = false
  /** True for the first that tells how it went. */
  const settle = (error: boolean): boolean => {
    if (settled) return false
    settled = true
    clearTimeout(timer)
    runner.record({ error, ms: performance.now() - startedAt })
    return true
  }
  const upstream = http.request({
    host: '127.0.0.1',
    port: instance.port,
    agent: false,
    method: request.method,
    path,
    headers: [...forwarded(request), 'connection', 'upgrade', 'upgrade', request.headers.upgrade ?? ''],
    setHost: false,
  })
  const done = instance.begin()
  const timer = setTimeout(() => fail('504 Gateway Timeout'), runner.spec.timeoutMs)
  const fail = (status: string) => {
    // The client went: nobody's failure.
    if (!socket.destroyed && settle(true))
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    upstream.destroy()
  }
  socket.once('close', () => {
    clearTimeout(timer)
    upstream.destroy()
    done()
  })
  upstream.once('upgrade', (answer, peer, peerHead) => {
    // It has errors from here on, whether or not there is still somebody to tell.
    peer.on('error', () => socket.destroy())
    peer.once('close', () => socket.destroy())
    if (socket.destroyed || !settle(false)) {
      peer.destroy()
      return
    }
    socket.write(headOf(answer, runner.spec.release, ['connection: upgrade', `upgrade: ${answer.headers.upgrade}`]))
    if (peerHead.length > 0) socket.write(peerHead)
    if (head.length > 0) peer.write(head)
    peer.pipe(socket)
    socket.pipe(peer)
    socket.once('close', () => peer.destroy())
  })
  upstream.once('response', (answer) => {
    if (!settle((answer.statusCode ?? 502) >= 500)) return
    socket.write(headOf(answer, runner.spec.release, ['connection: close']))
    answer.pipe(socket)
    // Cut by the worker: the client must not wait for the rest.
    answer.once('close', () => {
      if (!answer.complete) socket.destroy()
    })
  })
  upstream.on('error', () => fail('502 Bad Gateway'))
  upstream.once('close', () => {
    if (!settled) fail('502 Bad Gateway')
  })
  upstream.end()
}

function headOf(answer: IncomingMessage, release: string, own: readonly string[]): string {
  const raw = endToEnd(answer.rawHeaders)
  const lines = [
    `HTTP/1.1 ${answer.statusCode} ${http.STATUS_CODES[answer.statusCode ?? 502] ?? 'Unknown'}`,
    `landfall-version: ${release}`,
    ...own,
  ]
  for (let at = 0; at + 1 < raw.length; at += 2) lines.push(`${raw[at]}: ${raw[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
