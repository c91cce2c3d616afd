import { afterEach, beforeEach, expect, test } from 'vitest'
import { soon, TestEnvironment } from '../../testing/environment.ts'
import { Invocations } from '../../testing/invocations.ts'
import { hello, relay } from '../../testing/sources.ts'

let environment: TestEnvironment
let invocations: Invocations
let env: { TEST_URL: string }
beforeEach(async () => {
  environment = await TestEnvironment.open()
  invocations = new Invocations()
  env = { TEST_URL: await invocations.listen() }
})
afterEach(async () => {
  invocations.close()
  await environment.close()
})

/** Bindings of a worker that may do what `uses` says. */
async function bindingsOf(uses: unknown[]) {
  const worker = environment.worker(hello('x'), { name: 'client', uses })
  const { url } = await environment.serve(worker, '1.0.0')
  const seen = (await (await fetch(`${url}/env`)).json()) as Record<string, string>
  const bindings = JSON.parse(seen.LANDFALL_BINDINGS ?? '{}') as Record<string, { url: string }>
  const headers = { authorization: `Bearer ${seen.LANDFALL_TOKEN}` }
  return (resource: string, path: string, init: RequestInit = {}) =>
    fetch(`${bindings[resource]?.url}${path}`, { ...init, headers: { ...headers, ...init.headers } })
}

test('storage events go to the trigger version, filtered, and again until they are taken', async () => {
  await environment.ensure({ type: 'storage', name: 'files' })
  const worker = environment.worker(relay, {
    env,
    triggers: [{ kind: 'storage', storage: 'files', events: ['created', 'deleted'], prefix: 'in/' }],
  })
  const { id } = await environment.serve(worker, '1.0.0')
  const other = await environment.start(worker, '1.1.0')
  await environment.until(worker, ({ versions }) => versions[other]?.available === 1)
  await environment.route(worker, { [other]: 100 })
  const call = await bindingsOf([{ resource: 'files', access: ['read', 'write'] }])
  await call('files', '/objects/out%2Fa', { method: 'PUT', body: 'x' })
  await call('files', '/objects/in%2Fb', { method: 'PUT', body: 'x' })
  const first = await invocations.next()
  expect(first).toMatchObject({
    version: '1.0.0',
    invocation: { kind: 'storage', storage: 'files', event: 'created', key: 'in/b' },
  })
  first.answer({ error: { code: 'E_TEST', message: 'no' } })
  const again = await invocations.next()
  expect(again.invocation).toEqual(first.invocation)
  again.answer({ done: true })
  await environment.moveTriggers(worker, other)
  await call('files', '/objects/in%2Fb', { method: 'DELETE' })
  const deleted = await invocations.next()
  expect(deleted).toMatchObject({ version: '1.1.0', invocation: { event: 'deleted', key: 'in/b' } })
  deleted.answer({ done: true })
  expect(id).not.toBe(other)
})

test('cron fires on the trigger version alone', async () => {
  const worker = environment.worker(relay, { env, triggers: [{ kind: 'cron', schedule: '* * * * * *' }] })
  await environment.serve(worker, '1.0.0')
  const other = await environment.start(worker, '1.1.0')
  await environment.until(worker, ({ versions }) => versions[other]?.available === 1)
  await environment.route(worker, { [other]: 100 })
  const seen = [await invocations.next(), await invocations.next()]
  for (const { answer } of seen) answer({ done: true })
  expect(seen.map(({ version }) => version)).toEqual(['1.0.0', '1.0.0'])
  const times = seen.map(({ invocation }) => (invocation.kind === 'cron' ? invocation.scheduledAt : 0))
  expect(new Set(times).size).toBe(2)
  expect(times.every((at) => at % 1_000 === 0)).toBe(true)
})

test("a queue's messages follow the shares of its consumers, and count as their work", async () => {
  await environment.ensure({ type: 'queue', name: 'jobs' })
  const worker = environment.worker(relay, { env, triggers: [{ kind: 'queue', queue: 'jobs', concurrency: 10 }] })
  const { id: stable } = await environment.serve(worker, '1.0.0')
  const candidate = await environment.start(worker, '1.1.0')
  await environment.until(worker, ({ versions }) => versions[candidate]?.available === 1)
  await environment.route(worker, { [stable]: 75, [candidate]: 25 })
  const got: Record<string, number> = {}
  const all = Promise.withResolvers<void>()
  invocations.onReceived = ({ version, answer }) => {
    got[version] = (got[version] ?? 0) + 1
    answer({ done: true })
    if (Object.values(got).reduce((sum, n) => sum + n, 0) === 40) all.resolve()
  }
  const call = await bindingsOf([{ resource: 'jobs', access: ['send'] }])
  for (let i = 0; i < 40; i++) await call('jobs', '/messages', { method: 'POST', body: `${i}` })
  await all.promise
  expect(got).toEqual({ '1.0.0': 30, '1.1.0': 10 })
  await environment.until(worker, ({ versions }) => versions[candidate]?.counters?.requests === 10)
})

test('commands stream their output, go to stable unless a version is named, and end with their deadline', async () => {
  const worker = environment.worker(relay, { env })
  const { id: stable } = await environment.serve(worker, '1.0.0')
  const candidate = await environment.start(worker, '1.1.0')
  await environment.until(worker, ({ versions }) => versions[candidate]?.available === 1)
  await environment.route(worker, { [stable]: 10, [candidate]: 90 })
  const invoke = (deadlineMs: number, version?: string, signal = soon()) => {
    const output: string[] = []
    const call = { command: 'reindex', id: 'c1', attempt: 1, input: { a: 1 }, deadline: Date.now() + deadlineMs }
    const target = { deployment: environment.deployment, worker: 'api', signal, ...(version && { version }) }
    return environment.platform.invoker
      .invoke(target, call, (chunk) => output.push(chunk))
      .then((result) => ({ result, output }))
  }
  const first = invoke(10_000)
  const received = await invocations.next()
  expect(received).toMatchObject({
    version: '1.0.0',
    invocation: { kind: 'command', command: 'reindex', input: { a: 1 } },
  })
  received.answer({ output: 'one\n' }, { output: 'two\n' }, { done: true, result: { n: 2 } })
  expect(await first).toEqual({ result: { ok: true, output: { n: 2 } }, output: ['one\n', 'two\n'] })

  const named = invoke(10_000, candidate)
  const other = await invocations.next()
  expect(other.version).toBe('1.1.0')
  other.answer({ error: { code: 'E_OWN', message: 'broken' } })
  expect((await named).result).toEqual({ ok: false, error: { code: 'E_OWN', message: 'broken' } })

  const silent = invoke(10_000)
  ;(await invocations.next()).answer()
  expect((await silent).result).toMatchObject({ ok: false, error: { code: 'E_INVOCATION_BROKEN' } })
  expect((await invoke(300)).result).toMatchObject({ ok: false, error: { code: 'E_DEADLINE' } })
  expect((await invoke(10_000, undefined, AbortSignal.timeout(200))).result).toMatchObject({
    error: { code: 'E_CANCELLED' },
  })
})

test('one worker reaches another through its router, without showing it its token', async () => {
  const target = environment.worker(hello('target'), { name: 'target', public: false })
  await environment.serve(target, '1.0.0')
  const call = await bindingsOf([{ resource: 'target', access: ['invoke'] }])
  const response = await call('target', '/headers')
  expect(response.headers.get('landfall-version')).toBe('1.0.0')
  expect(await response.json()).not.toHaveProperty('authorization')
  expect((await call('target', '/_landfall/invoke', { method: 'POST', body: '{}' })).status).toBe(404)
  expect((await environment.observe(target)).url).toBeNull()
})
