/** Sources of workers, as they would be bundled. */
export const hello = (word: string) => `
import { createServer } from 'node:http'
const server = createServer((req, res) => {
  if (req.url === '/healthz') return res.end('ok')
  if (req.url === '/env') return res.end(JSON.stringify(process.env))
  if (req.url === '/slow') return setTimeout(() => res.end(${JSON.stringify(word)}), 150)
  if (req.url === '/fail') { res.statusCode = 500; return res.end() }
  if (req.url === '/cut') { res.writeHead(200, { 'content-length': 10 }); res.write('half'); return setTimeout(() => req.socket.destroy(), 5) }
  if (req.url === '/log') { console.log(${JSON.stringify(word)} + ' says hello'); return res.end() }
  if (req.url === '/echo') return req.pipe(res)
  if (req.url === '/headers') return res.end(JSON.stringify(req.headers))
  if (req.url === '/crash') process.exit(7)
  if (req.url === '/pid') return res.end(String(process.pid))
  res.end(${JSON.stringify(word)})
})
server.on('upgrade', (req, socket) => {
  socket.on('error', () => {})
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n\\r\\n')
  socket.pipe(socket)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections() })
`

/** Hands each invocation to the test at TEST_URL, and gives its answer back: the NDJSON lines, or none when it hangs up. */
export const relay = `
import { createServer } from 'node:http'
createServer(async (req, res) => {
  if (req.url === '/env') return res.end(JSON.stringify(process.env))
  if (req.url !== '/_landfall/invoke') return res.end('ok')
  if (req.headers.authorization !== 'Bearer ' + process.env.LANDFALL_TOKEN) { res.statusCode = 401; return res.end() }
  try {
    const answer = await fetch(process.env.TEST_URL, { method: 'POST', body: req, duplex: 'half', headers: { version: process.env.LANDFALL_VERSION } })
    res.writeHead(200, { 'content-type': 'application/x-ndjson' })
    for await (const chunk of answer.body) res.write(chunk)
    res.end()
  } catch { req.socket.destroy() }
}).listen(Number(process.env.PORT), '127.0.0.1')
`
