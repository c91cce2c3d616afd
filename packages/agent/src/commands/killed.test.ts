import { generateKeyPairSync } from 'node:crypto'
import { openSealed } from '@landfall/release'
import { afterAll, beforeAll, expect, it } from 'vitest'
// A real host daemon with a real worker: what a command reaches in a customer's environment.
import { TestEnvironment } from '../../../platforms/local/src/testing/environment.ts'
import { AgentState } from '../state/agent-state.ts'
import { runChild } from '../testing/run-child.ts'
import { newKey, scratch } from '../testing/scratch.ts'
import { CommandQueue } from './command-queue.ts'
import { updatesOf } from './command-updates.ts'

/** Answers the second attempt; the first one it begins and never ends. */
const worker = `
import { createServer } from 'node:http'
createServer(async (req, res) => {
  if (req.url !== '/_landfall/invoke') return res.end('ok')
  let body = ''
  for await (const chunk of req) body += chunk
  const { id, attempt, input } = JSON.parse(body)
  res.writeHead(200, { 'content-type': 'application/x-ndjson' })
  res.write(JSON.stringify({ output: 'attempt ' + attempt + ' works\\n' }) + '\\n')
  if (attempt > 1) res.end(JSON.stringify({ done: true, result: { id, attempt, input } }) + '\\n')
}).listen(Number(process.env.PORT), '127.0.0.1')
`

const files = scratch()
let environment: TestEnvironment
beforeAll(async () => {
  environment = await TestEnvironment.open()
  const resource = environment.worker(worker)
  await environment.serve(resource, '1.0.0')
}, 60_000)
afterAll(async () => {
  await environment.close()
  files.remove()
})

it('an agent that is killed while its worker works goes on with the next attempt of the same command', {
  timeout: 60_000,
}, async () => {
  const [directory, key] = [files.path(), newKey()]
  const reply = generateKeyPairSync('x25519')
  const replyKey = reply.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const { deployment } = environment
  const open = () => {
    const state = AgentState.open(directory, key)
    const clock = { now: () => Date.now() }
    return { state, queue: new CommandQueue({ state, clock, replyKey, note: () => {}, deployment: () => deployment }) }
  }
  const first = open()
  const order = { id: 'cmd_1', worker: 'api', version: null, command: 'reindex', input: { from: 1 }, attempt: 1 }
  first.queue.add({ ...order, deadline: Date.now() + 300_000 })
  first.state.close()

  const run = (onLine?: (line: string, kill: () => void) => void) =>
    runChild('./command-child.ts', [directory, key.toString('hex'), replyKey, JSON.stringify(deployment)], onLine)
  const killed = await run((line, kill) => {
    if (line === '1 pieces') kill()
  })
  expect(killed).toMatchObject({ signal: 'SIGKILL', errors: '' })
  expect(await run()).toMatchObject({ signal: null, code: 0, errors: '', lines: expect.arrayContaining(['succeeded']) })

  const last = open()
  const [update] = updatesOf(last.queue.records)
  expect(update).toMatchObject({ id: 'cmd_1', attempt: 2, status: 'succeeded' })
  const output = update?.output.map(({ number, chunk }) =>
    openSealed(reply.privateKey, chunk, `output:${deployment.id}:cmd_1:${number}`).toString(),
  )
  expect(output?.join('')).toBe('attempt 1 works\n[attempt 2]\nattempt 2 works\n')
  const result = openSealed(reply.privateKey, update?.result ?? '', `result:${deployment.id}:cmd_1`).toString()
  expect(JSON.parse(result)).toEqual({ id: 'cmd_1', attempt: 2, input: { from: 1 } })
  last.state.close()
})
