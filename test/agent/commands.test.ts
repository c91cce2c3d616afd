import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentWorld, until } from '../harness/agent-world.ts'

/** Answers `count`; `wait` works until it is begun a second time. */
const code = `
import { createServer } from 'node:http'
createServer(async (request, response) => {
  if (request.url !== '/_landfall/invoke') return response.end('ok')
  let body = ''
  for await (const chunk of request) body += chunk
  const { command, id, attempt, input } = JSON.parse(body)
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.write(JSON.stringify({ output: command + ' attempt ' + attempt + '\\n' }) + '\\n')
  if (command === 'count' || attempt > 1) response.end(JSON.stringify({ done: true, result: { id, input } }) + '\\n')
}).listen(Number(process.env.PORT), '127.0.0.1')
`
const input = { type: 'object', properties: { of: { type: 'string' } }, additionalProperties: false }

let world: AgentWorld
beforeAll(async () => {
  world = await AgentWorld.start()
})
afterAll(() => world.stop())

const send = (command: string, more: object = {}) =>
  world.client.sendCommand({ params: world.of('one'), body: { command, ...more } })
const show = (command: string) => world.client.getCommand({ params: { ...world.of('one'), command } })

describe('a command to an agent that pulls', { timeout: 180_000 }, () => {
  it('is run there, shown while it runs, cancelled, and gone on with after a restart', async () => {
    const setup = await world.deploy('one')
    await world.publish('1.0.0', {
      code,
      commands: { count: { input, deadline: '60s' }, wait: { input, deadline: '120s' } },
    })
    await world.tell('one', '1.0.0')
    const directory = world.site()
    const agent = await world.agent({ directory, setup })
    await until(
      () => world.view('one'),
      ({ phase }) => phase === 'running',
    )

    await expect(send('count', { input: { of: 1 } })).rejects.toMatchObject({ code: 'E_COMMAND_INPUT' })
    const { id } = await send('count', { input: { of: 'rows' } })
    const done = await until(
      () => show(id),
      ({ status }) => status !== 'queued' && status !== 'running',
    )
    expect(done).toMatchObject({
      ...{ status: 'succeeded', attempt: 1, via: 'direct', output: 'count attempt 1\n' },
      result: { id, input: { of: 'rows' } },
    })

    const stopped = await send('wait')
    await until(
      () => show(stopped.id),
      ({ output }) => output !== '',
    )
    await world.client.cancelCommand({ params: { ...world.of('one'), command: stopped.id } })
    const cancelled = await until(
      () => show(stopped.id),
      ({ status }) => status !== 'running',
    )
    expect(cancelled).toMatchObject({ status: 'cancelled', error: { code: 'E_COMMAND_CANCELLED' } })

    const long = await send('wait')
    await until(
      () => show(long.id),
      ({ output }) => output !== '',
    )
    await agent.stop()
    expect((await show(long.id)).status).toBe('running')
    await world.agent({ directory })
    const second = await until(
      () => show(long.id),
      ({ status }) => status !== 'running',
    )
    expect(second).toMatchObject({ status: 'succeeded', attempt: 2, result: { id: long.id } })
    expect(second.output).toBe('wait attempt 1\n[attempt 2]\nwait attempt 2\n')

    const { items } = await world.client.listDeploymentAudit({ params: world.of('one'), query: { limit: 200 } })
    const types = items.map((entry) => entry.type).filter((type) => type.startsWith('command.'))
    // The ends are links of the agent's own chain, each once.
    expect(types.filter((type) => type === 'command.succeeded').length).toBe(2)
    expect(types).toContain('command.cancelled')
  })
})
