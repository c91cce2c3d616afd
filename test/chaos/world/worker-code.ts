/**
 * A worker that counts what it does itself: each command it begins is a line `ID ATTEMPT` in a file beside the environment.
 *
 * @param dies it ends with 7 so many milliseconds after its start; 0: never
 */
export const workerCode = (version: string, effects: string, dies = 0) => `
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
const server = createServer(async (request, response) => {
  if (request.url !== '/_landfall/invoke') return response.end('${version}')
  let body = ''
  for await (const chunk of request) body += chunk
  const { id, attempt } = JSON.parse(body)
  appendFileSync(${JSON.stringify(effects)}, id + ' ' + attempt + '\\n')
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.write(JSON.stringify({ output: 'attempt ' + attempt + '\\n' }) + '\\n')
  setTimeout(() => response.end(JSON.stringify({ done: true, result: { id } }) + '\\n'), 50)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections() })
${dies > 0 ? `setTimeout(() => process.exit(7), ${dies})` : ''}
`
