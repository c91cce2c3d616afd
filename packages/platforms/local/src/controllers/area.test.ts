import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { places } from '../shared/places.ts'
import { soon, TestEnvironment } from '../testing/environment.ts'
import { hello } from '../testing/sources.ts'
import { defaultHostCommand } from './daemon.ts'

let environment: TestEnvironment
beforeEach(async () => {
  environment = await TestEnvironment.open()
})
afterEach(() => environment.close())

test('closing the area leaves no process, no socket, no server and no file of ours, and is idempotent', async () => {
  await environment.ensure({ type: 'storage', name: 'files' })
  await environment.ensure({ type: 'postgres', name: 'db' })
  const api = environment.worker(hello('one'), { uses: [{ resource: 'db', access: ['connect'] }] })
  const { url } = await environment.serve(api, '1.0.0', 2)
  const seen = (await (await fetch(`${url}/env`)).json()) as Record<string, string>
  expect(JSON.parse(seen.LANDFALL_BINDINGS ?? '')).toMatchObject({
    db: { type: 'postgres', driver: 'url', url: expect.stringMatching(/^postgresql:\/\/landfall:/) },
  })
  await writeFile(join(environment.directory, 'notes.txt'), "the customer's own")
  await environment.platform.closeArea(environment.deployment, soon())
  await environment.platform.closeArea(environment.deployment, soon())
  expect(await readdir(environment.directory)).toEqual(['notes.txt'])
  expect(await environment.processes()).toEqual([])
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
  expect(stdout.split('\n').filter((line) => line.includes(environment.directory))).toEqual([])
  await expect(fetch(url)).rejects.toThrow()
})

test('a directory of another deployment is left alone', async () => {
  const other = { ...environment.deployment, id: 'dep_other' }
  await expect(environment.platform.openArea(other, soon())).rejects.toMatchObject({ code: 'E_FOREIGN' })
  const { kv } = environment.platform.resources
  const context = { ...environment.context({ type: 'kv', name: 'index', lifecycle: 'frozen' }), deployment: other }
  expect(await kv?.observe(context, {})).toMatchObject({ status: 'foreign' })
  await expect(environment.platform.closeArea(other, soon())).rejects.toMatchObject({ code: 'E_FOREIGN' })
})

test('the customer takes access away and gives it back; workers go on meanwhile', async () => {
  const api = environment.worker(hello('one'))
  const { url } = await environment.serve(api, '1.0.0')
  const file = places(environment.directory).access
  await rm(file)
  const revoked = { code: 'E_ACCESS_REVOKED' }
  await expect(environment.platform.probe(environment.deployment, soon())).rejects.toMatchObject(revoked)
  await expect(environment.start(api, '1.1.0')).rejects.toMatchObject(revoked)
  await expect(environment.platform.openArea(environment.deployment, soon())).rejects.toMatchObject(revoked)
  expect(await (await fetch(url)).text()).toBe('one')
  await writeFile(file, '')
  await environment.platform.probe(environment.deployment, soon())
})

test('a directory that is too deep for a socket works all the same', async () => {
  const base = await mkdtemp(join(tmpdir(), 'landfall-deep-'))
  const directory = join(base, 'd'.repeat(120))
  await mkdir(directory)
  const deployment = { ...environment.deployment, environment: { directory } }
  await environment.platform.openArea(deployment, soon())
  await environment.platform.probe(deployment, soon())
  await environment.platform.closeArea(deployment, soon())
  await expect(stat(places(directory).socket)).rejects.toThrow('ENOENT')
  expect(await readdir(base)).toEqual([])
  await rm(base, { recursive: true })
})

test('secrets reach the worker and nothing else; each version keeps the value that it was made with', async () => {
  const secret = { type: 'secret', name: 'stripe-key', providedBy: 'customer' }
  const set = async (version: number, value: string) => {
    environment.config = {
      ...environment.config,
      secrets: { 'stripe-key': { version } },
      openSecret: async () => value,
    }
    return environment.ensure(secret)
  }
  const input = {
    env: { STRIPE_KEY: { secret: 'stripe-key' } },
    uses: [{ resource: 'stripe-key', access: ['read'] }],
  }
  const first = await set(1, 'sk_first_plain')
  const one = environment.worker(hello('one'), input)
  const { id: stable, url } = await environment.serve(one, '1.0.0')
  const second = await set(2, 'sk_second_plain')
  expect(first.fingerprint).not.toBe(second.fingerprint)
  const candidate = await environment.start(one, '1.1.0')
  await environment.until(one, ({ versions }) => versions[candidate]?.available === 1)
  const keyOf = async () => ((await (await fetch(`${url}/env`)).json()) as Record<string, string>).STRIPE_KEY
  expect(await keyOf()).toBe('sk_first_plain')
  await environment.route(one, { [candidate]: 100 })
  expect(await keyOf()).toBe('sk_second_plain')
  // Back, with a new process.
  await environment.start(one, '1.0.0', 0)
  environment.config = { ...environment.config, secrets: { 'stripe-key': { version: 1 } } }
  await environment.start(one, '1.0.0', 1)
  await environment.until(one, ({ versions }) => versions[stable]?.available === 1)
  await environment.route(one, { [stable]: 100 })
  expect(await keyOf()).toBe('sk_first_plain')
  for (const name of await readdir(environment.directory)) {
    const text = await readFile(join(environment.directory, name), 'latin1').catch(() => '')
    expect(text).not.toContain('sk_first_plain')
    expect(text).not.toContain('sk_second_plain')
  }
  expect((await stat(places(environment.directory).key)).mode & 0o777).toBe(0o600)
})

test('a secret without a value is told before anything starts; a generated one needs none', async () => {
  const missing = environment.ensure({ type: 'secret', name: 'api-key', providedBy: 'customer' })
  await expect(missing).rejects.toMatchObject({ code: 'E_SECRET_MISSING' })
  const once = await environment.ensure({ type: 'secret', name: 'session-key', providedBy: 'generated' })
  expect(await environment.ensure({ type: 'secret', name: 'session-key', providedBy: 'generated' })).toEqual(once)
})

test("workers' output is forwarded as OTLP logs, and they are told where to send their own", async () => {
  const bodies: { headers: Record<string, unknown>; text: string }[] = []
  const got = Promise.withResolvers<void>()
  const intake = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    bodies.push({ headers: request.headers, text })
    response.end('{}')
    if (text.includes('one says hello')) got.resolve()
  })
  await new Promise<void>((resolve) => intake.listen(0, '127.0.0.1', resolve))
  const address = intake.address()
  const endpoint = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/otlp`
  environment.telemetry = { endpoint, headers: { authorization: 'Bearer t=1' } }
  const { id, url } = await environment.serve(environment.worker(hello('one')), '1.0.0')
  const env = (await (await fetch(`${url}/env`)).json()) as Record<string, string>
  expect(env).toMatchObject({
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t%3D1',
  })
  await fetch(`${url}/log`)
  await got.promise
  intake.close()
  intake.closeAllConnections()
  const body = bodies.find(({ text }) => text.includes('one says hello'))
  expect(body?.headers.authorization).toBe('Bearer t=1')
  const attributes = JSON.parse(body?.text ?? '').resourceLogs[0].resource.attributes
  expect(attributes).toContainEqual({ key: 'landfall.version.id', value: { stringValue: id } })
  expect(attributes).toContainEqual({ key: 'landfall.deployment', value: { stringValue: 'dep_1' } })
})

test('a daemon whose start comes after the area was closed makes nothing', async () => {
  const { directory } = environment
  const [command, ...parameters] = defaultHostCommand()
  await environment.platform.closeArea(environment.deployment, soon())
  await mkdir(directory)
  const run = promisify(execFile)(command, [...parameters, '--directory', directory], { timeout: 10_000 })
  await expect(run).rejects.toMatchObject({ code: 4 })
  expect(await readdir(directory)).toEqual([])
})
