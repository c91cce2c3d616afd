/** Sources of workers, as they would be bundled. */
export const hello = (word: string) => `
import { createServer } from 'node:http'
const server = createServer((req, res) => {
  if (req.url === '/healthz') return res.end('ok')
  if (req.url === '/env') return res.end(JSON.stringify(process.env))
  res.end(${JSON.stringify(word)})
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`
