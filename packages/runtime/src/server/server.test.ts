import { connect as connectTcp } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorker, type WorkerProcess } from '../testing/worker-process.ts'

let worker: WorkerProcess
const started: WorkerProcess[] = []
const start = async (variables?: Record<string, string>) => {
  const one = await startWorker(variables)
  started.push(one)
  return one
}
beforeAll(async () => {
  worker = await start()
})
afterAll(async () => {
  for (const one of started) one.child.kill('SIGKILL')
  await Promise.all(started.map((one) => one.ended))
})

const invoke = (one: WorkerProcess, body: unknown, token = one.token) =>
  fetch(`${one.url}/_landfall/invoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const lines = async (response: Response) =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
const message = (value: unknown) => ({
  kind: 'queue',
  queue: 'jobs',
  message: {
    id: 'm1',
    body: Buffer.from(JSON.stringify(value)).toString('base64'),
    encoding: 'base64',
    contentType: 'application/json',
    attempt: 1,
    enqueuedAt: 1,
  },
})
const codeOf = async (response: Response) => Reflect.get(Object(await response.json()), 'code')
const far = Date.now() + 60_000
const until = async (check: () => boolean) => {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('requests', () => {
  it('are answered by the code, with its headers and status', async () => {
    const response = await fetch(`${worker.url}/hello?who=you`)
    expect([response.status, await response.text(), response.headers.get('x-version')]).toEqual([
      200,
      'hello you',
      '1.2.0',
    ])
    const cookies = await fetch(`${worker.url}/cookies`)
    expect([cookies.status, cookies.headers.getSetCookie()]).toEqual([204, ['a=1', 'b=2']])
    const head = await fetch(`${worker.url}/hello?who=you`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('stream both ways', async () => {
    const body = new Uint8Array(900_000).map((_, i) => i % 251)
    const response = await fetch(`${worker.url}/echo`, { method: 'POST', body })
    expect(Buffer.compare(await response.bytes(), body)).toBe(0)

    const sent = Promise.withResolvers<void>()
    const stream = new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('first'))
        // The second half is sent only after the first has come back.
        await sent.promise
        controller.enqueue(new TextEncoder().encode('second'))
        controller.close()
      },
    })
    const echoed = await fetch(`${worker.url}/echo`, { method: 'POST', body: stream, duplex: 'half' })
    const reader = echoed.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first')
    sent.resolve()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('second')
  })

  it('with a body above the limit get 413, whether they say its length or not', async () => {
    const body = new Uint8Array(1_000_001)
    const known = await fetch(`${worker.url}/echo`, { method: 'POST', body })
    expect([known.status, await codeOf(known)]).toEqual([413, 'E_BODY_TOO_LARGE'])
    const stream = new Blob([body]).stream()
    // Echoed as it comes, the answer has begun when the limit is met: it is cut off, never whole.
    const unknown = fetch(`${worker.url}/echo`, { method: 'POST', body: stream, duplex: 'half' })
    await expect(unknown.then((response) => response.bytes())).rejects.toThrow()
  })

  it('that fail get 500 without the reason, which is in the log', async () => {
    const response = await fetch(`${worker.url}/throw`)
    const text = await response.text()
    expect([response.status, JSON.parse(text).code]).toEqual([500, 'E_UNHANDLED'])
    expect(text).not.toContain('hunter2')
    expect(worker.output()).toContain('hunter2')
  })

  it('whose answer breaks midway are cut off, not ended', async () => {
    const response = await fetch(`${worker.url}/breaks`)
    await expect(response.text()).rejects.toThrow()
  })

  it('tell the code that the client has gone', async () => {
    const controller = new AbortController()
    const response = await fetch(`${worker.url}/events`, { signal: controller.signal })
    const reader = response.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 1\n\n')
    controller.abort()
    await until(() => worker.output().includes('events stopped'))
  })

  it('for the health check are answered where the code does not', async () => {
    expect((await fetch(`${worker.url}/healthz`)).status).toBe(200)
    expect((await fetch(`${worker.url}/healthz`, { method: 'POST' })).status).toBe(404)
    expect((await fetch(`${worker.url}/other`)).status).toBe(404)
  })

  it('that can not be read get 400, and the process stays', async () => {
    const socket = connectTcp(Number(new URL(worker.url).port), '127.0.0.1')
    const answer = new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString()
      })
      socket.on('close', () => resolve(text))
    })
    socket.write('GET / HTTP/1.1\r\nHost: [not a host\r\nConnection: close\r\n\r\n')
    expect(await answer).toContain('400')
    expect((await fetch(`${worker.url}/hello?who=x`)).status).toBe(200)
  })

  it('get 504 after the timeout', async () => {
    const slow = await start({ LANDFALL_TIMEOUT_MS: '200' })
    const response = await fetch(`${slow.url}/slow?ms=60000`)
    expect([response.status, await codeOf(response)]).toEqual([504, 'E_TIMEOUT'])
  })
})

describe('invocations', () => {
  it('are for the platform alone', async () => {
    for (const token of ['', 'wrong', `${worker.token}x`]) {
      const response = await invoke(worker, message('x'), token)
      expect([response.status, await codeOf(response)]).toEqual([401, 'E_UNAUTHORIZED'])
    }
    expect((await fetch(`${worker.url}/_landfall/other`)).status).toBe(404)
  })

  it('reach the handlers', async () => {
    expect(await lines(await invoke(worker, message('good')))).toEqual([{ done: true }])
    const cron = { kind: 'cron', schedule: '0  6 * * *', scheduledAt: 0 }
    expect(await lines(await invoke(worker, cron))).toEqual([{ done: true }])
    const event = { kind: 'storage', storage: 'uploads', event: 'created', id: 'e1', at: 0 }
    expect(await lines(await invoke(worker, { ...event, key: 'in/a' }))).toEqual([{ done: true }])
    expect(await lines(await invoke(worker, { ...event, key: 'out/a' }))).toEqual([{ done: true }])
    await until(() => worker.output().includes('"key":"in/a"'))
    expect(worker.output()).not.toContain('"key":"out/a"')
  })

  it('that fail say so', async () => {
    expect(await lines(await invoke(worker, message('fail')))).toEqual([
      { error: { code: 'E_UNHANDLED', message: 'as asked' } },
    ])
    const unknown = { ...message('x'), queue: 'other' }
    expect(await lines(await invoke(worker, unknown))).toEqual([
      { error: { code: 'E_NO_HANDLER', message: expect.stringContaining("onMessage('other'") } },
    ])
  })

  it.each(['', '{', '[]', '{"kind":"queue"}', '{"kind":"command","command":"echo"}', '{"kind":"future"}'])(
    'that are not known get 400: %s',
    async (body) => {
      const response = await invoke(worker, body)
      expect([response.status, await codeOf(response)]).toEqual([400, 'E_BAD_REQUEST'])
    },
  )

  const call = (command: string, input: unknown, deadline = far) => ({
    kind: 'command',
    command,
    id: 'c1',
    attempt: 2,
    input,
    deadline,
  })

  it('of commands stream their output and end with the result', async () => {
    expect(await lines(await invoke(worker, call('echo', { say: 'hi' })))).toEqual([
      { output: 'one\n' },
      { output: 'two\n' },
      { done: true, result: { input: { say: 'hi' }, id: 'c1', attempt: 2 } },
    ])
  })

  it('of commands are checked against the schema, without repeating the value', async () => {
    const [line] = await lines(await invoke(worker, call('echo', { say: 42 })))
    expect(line).toMatchObject({ error: { code: 'E_COMMAND_INPUT' } })
    expect(JSON.stringify(line)).not.toContain('42')
  })

  it('of commands end at their deadline, and at their limit of output', async () => {
    const [late] = await lines(await invoke(worker, call('endless', null, Date.now() + 100)))
    expect(late).toMatchObject({ error: { code: 'E_DEADLINE' } })
    const flood = await lines(await invoke(worker, call('flood', null)))
    expect(flood.at(-1)).toMatchObject({ error: { code: 'E_OUTPUT_LIMIT' } })
    expect(flood.length).toBeLessThan(100)
  })
})

describe('the end of the process', () => {
  it('finishes what is in flight, takes nothing new, and exits with 0', async () => {
    const one = await start()
    const slow = fetch(`${one.url}/slow?ms=700`)
    // A second connection that idles must not hold the process.
    await (await fetch(`${one.url}/hello?who=x`)).text()
    one.child.kill('SIGTERM')
    const response = await slow
    expect([response.status, await response.text()]).toEqual([200, 'slow'])
    expect(await one.ended).toBe(0)
    await expect(fetch(`${one.url}/hello`)).rejects.toThrow()
  })

  it('comes after the grace period even if the code never ends, and says so to who waits', async () => {
    const one = await start({ LANDFALL_GRACE_MS: '600' })
    const hanging = fetch(`${one.url}/slow?ms=600000`)
    const event = invoke(one, message('hang'))
    const opened = await event
    one.child.kill('SIGTERM')
    expect((await hanging).status).toBe(503)
    expect(await lines(opened)).toMatchObject([{ error: { code: 'E_DRAINING' } }])
    expect(await one.ended).toBe(0)
    expect(one.output()).toContain('work in flight')
  })

  it('comes with 1 after an error that nothing caught, with the reason in the log', async () => {
    const one = await start()
    await (await fetch(`${one.url}/crash`)).text().catch(() => '')
    expect(await one.ended).toBe(1)
    expect(one.output()).toContain('nobody catches this')
  })

  it('comes at once where there is no platform, saying what to do', async () => {
    await expect(start({ LANDFALL_TOKEN: '' })).rejects.toThrow('LANDFALL_TOKEN')
  })
})
