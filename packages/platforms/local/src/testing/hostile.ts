/** A worker that is well by its health check and breaks the protocol in every other answer, as its path tells it to. */
export const hostile = `
import { createServer } from 'node:net'
const head = (status, ...lines) => ['HTTP/1.1 ' + status, ...lines, '', ''].join('\\r\\n')
const ndjson = (rest) => head('200 OK', 'content-type: application/x-ndjson', 'transfer-encoding: chunked') + rest
const chunk = (text) => text.length.toString(16) + '\\r\\n' + text + '\\r\\n'
const done = chunk('{"done":true,"result":1}\\n')
const answers = {
  '/healthz': (s) => s.end(head('200 OK', 'content-length: 0', 'connection: close')),
  '/mid-header': (s) => s.write('HTTP/1.1 200 OK\\r\\ncontent-le', () => s.resetAndDestroy()),
  '/mid-body': (s) => s.write(head('200 OK', 'content-length: 100') + 'half', () => s.resetAndDestroy()),
  '/mid-chunk': (s) => s.write(head('200 OK', 'transfer-encoding: chunked') + '10\\r\\nhalf', () => s.resetAndDestroy()),
  '/bad-chunk': (s) => s.write(head('200 OK', 'transfer-encoding: chunked') + 'zz\\r\\nno\\r\\n'),
  '/garbage': (s) => s.end('this is not HTTP at all\\0\\xff\\r\\n\\r\\n'),
  '/bad-status': (s) => s.end(head('099 Odd', 'content-length: 0')),
  '/bad-reason': (s) => s.end(head('200 O\\x01K', 'content-length: 0')),
  '/switches': (s) => s.write(head('101 Switching Protocols', 'connection: upgrade', 'upgrade: echo')),
  '/twice': (s) => s.write(head('200 OK', 'content-length: 0') + head('500 Again', 'content-length: 0')),
  '/nothing': (s) => s.end(),
  '/reset': (s) => s.resetAndDestroy(),
  '/up-half-open': (s) => s.end(head('101 Switching Protocols', 'connection: upgrade', 'upgrade: echo') + 'bye'),
  '/up-reset': (s) => s.write(head('101 Switching Protocols', 'connection: upgrade', 'upgrade: echo'), () => s.resetAndDestroy()),
  '/up-garbage': (s) => s.end('\\0\\0\\0'),
  '/up-refused-cut': (s) => s.write(head('403 No', 'content-length: 50') + 'half', () => s.resetAndDestroy()),
  '/up-silence': (s) => setTimeout(() => s.resetAndDestroy(), 50),
}
const invocations = [
  (s) => s.write(ndjson(done), () => s.resetAndDestroy()),
  (s) => s.end(ndjson(done)),
  (s) => s.write(ndjson(done + done + chunk('{"output":"late"}\\n') + 'zz\\r\\n')),
  (s) => s.write(ndjson(chunk('{"output":"a"}\\n') + '50\\r\\n{"do'), () => s.resetAndDestroy()),
  (s) => s.write(ndjson(chunk('no json\\n') + '0\\r\\n\\r\\n')),
  (s) => s.write(ndjson('0\\r\\n\\r\\n')),
  (s) => s.end('garbage'),
  (s) => s.write(head('101 Switching Protocols', 'connection: upgrade', 'upgrade: echo')),
  (s) => s.write(head('500 No', 'content-length: 1000') + 'half', () => s.resetAndDestroy()),
  (s) => s.end(),
]
let turn = 0
createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {})
  socket.on('data', (data) => {
    const path = /^[A-Z]+ (\\S+) HTTP/.exec(data.toString('latin1'))?.[1]
    if (path === '/_landfall/invoke') invocations[turn++ % invocations.length](socket)
    else answers[path]?.(socket)
  })
  setTimeout(() => socket.destroy(), 20000).unref()
}).listen(Number(process.env.PORT), '127.0.0.1')
`

/** What a client may ask of it. */
export const hostilePaths = [
  ...['/mid-header', '/mid-body', '/mid-chunk', '/bad-chunk', '/garbage', '/bad-status', '/bad-reason', '/switches'],
  ...['/twice', '/nothing', '/reset'],
]
export const hostileUpgrades = [
  '/up-half-open',
  '/up-reset',
  '/up-garbage',
  '/up-refused-cut',
  '/up-silence',
  '/nothing',
]
