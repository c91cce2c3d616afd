import http, { type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { endToEnd, forwarded } from './headers.ts'
import { pathOf, type Router } from './router.ts'

/** Passes an upgrade (websockets) on to one instance and joins the two connections; it counts as in flight while it lasts. */
export function handleUpgrade(router: Router, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const path = pathOf(request, '')
  const picked = path.startsWith('/_landfall/') ? null : router.pick()
  socket.on('error', () => socket.destroy())
  if (!picked) {
    socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    return
  }
  const { runner, instance } = picked
  const done = instance.begin()
  const startedAt = performance.now()
  const count = (error: boolean) => runner.record({ error, ms: performance.now() - startedAt })
  const upstream = http.request({
    host: '127.0.0.1',
    port: instance.port,
    agent: false,
    method: request.method,
    path,
    headers: [...forwarded(request), 'connection', 'upgrade', 'upgrade', request.headers.upgrade ?? ''],
    setHost: false,
  })
  socket.once('close', () => {
    upstream.destroy()
    done()
  })
  upstream.once('upgrade', (answer, peer, peerHead) => {
    count(false)
    socket.write(headOf(answer, runner.spec.release, ['connection: upgrade', `upgrade: ${answer.headers.upgrade}`]))
    if (peerHead.length > 0) socket.write(peerHead)
    if (head.length > 0) peer.write(head)
    peer.on('error', () => socket.destroy())
    peer.once('close', () => socket.destroy())
    peer.pipe(socket)
    socket.pipe(peer)
    socket.once('close', () => peer.destroy())
  })
  upstream.once('response', (answer) => {
    count((answer.statusCode ?? 502) >= 500)
    socket.write(headOf(answer, runner.spec.release, ['connection: close']))
    answer.pipe(socket)
  })
  upstream.once('error', () => {
    if (socket.destroyed) return
    count(true)
    socket.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  upstream.end()
}

function headOf(answer: IncomingMessage, release: string, own: readonly string[]): string {
  const raw = endToEnd(answer.rawHeaders)
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, `landfall-version: ${release}`, ...own]
  for (let at = 0; at + 1 < raw.length; at += 2) lines.push(`${raw[at]}: ${raw[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
