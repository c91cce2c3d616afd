import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RuntimeError } from '../errors/runtime-error.ts'
import { connect } from './connect.ts'
import { encodeKey } from './key.ts'

// What the client itself promises. That a platform keeps the bindings' promises is what the conformance suite proves.
interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: string
}
let answer: (request: IncomingMessage) => Answer
let seen: { method: string; url: string; headers: IncomingMessage['headers'] }[] = []
const server = createServer((request, response) => {
  seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
  request.resume()
  request.on('end', () => {
    const { status = 200, headers = {}, body = '' } = answer(request)
    response.writeHead(status, headers).end(body)
  })
})
let bindings: ReturnType<typeof connect>
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
beforeEach(() => {
  seen = []
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const all = ['storage', 'kv', 'queue', 'secret', 'worker'].map((type) => [
    type,
    { type, driver: 'http', url: `${url}/${type}/` },
  ])
  const db = { type: 'postgres', driver: 'url', url: 'postgres://u:hunter2@db/x' }
  bindings = connect({ LANDFALL_TOKEN: 'tok', LANDFALL_BINDINGS: JSON.stringify({ ...Object.fromEntries(all), db }) })
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

const failure = async (promise: Promise<unknown>): Promise<RuntimeError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  if (RuntimeError.is(error)) return error
  throw new Error(`not refused as it should be: ${String(error)}`)
}

describe('bindings', () => {
  it('name the grant to add for what is not bound, without any address', () => {
    for (const [type, grant] of [
      ['storage', 'files.read()'],
      ['kv', 'files.readWrite()'],
      ['queue', 'files.send()'],
      ['worker', 'files.invoke()'],
      ['postgresUrl', 'files.connect()'],
    ] as const) {
      expect(() => bindings[type]('files')).toThrow(
        expect.objectContaining({ code: 'E_NOT_BOUND', hint: expect.stringContaining(grant) }),
      )
    }
    expect(() => bindings.kv('db')).toThrow('is a postgres, not a kv')
    expect(() => bindings.kv('toString')).toThrow(expect.objectContaining({ code: 'E_NOT_BOUND' }))
    expect(() => bindings.kv('db')).not.toThrow('hunter2')
    expect(bindings.postgresUrl('db')).toBe('postgres://u:hunter2@db/x')
  })

  it('can be imported without a platform, and say so at the first use', () => {
    expect(() => connect({}).kv('items')).toThrow(expect.objectContaining({ code: 'E_NO_PLATFORM' }))
    const broken = connect({ LANDFALL_TOKEN: 't', LANDFALL_BINDINGS: '{"hunter2' })
    expect(() => broken.kv('items')).toThrow(expect.objectContaining({ code: 'E_NO_PLATFORM' }))
    expect(() => broken.kv('items')).not.toThrow('hunter2')
  })

  it('carry the token, and percent-encode keys as one segment', async () => {
    answer = () => ({ status: 404 })
    await bindings.storage('storage').get('a/../b?c')
    await bindings.kv('kv').collection('x/y').get('%2F')
    expect(seen.map((one) => one.url)).toEqual(['/storage/objects/a%2F..%2Fb%3Fc', '/kv/items/x%2Fy/%252F'])
    expect(seen.every((one) => one.headers.authorization === 'Bearer tok')).toBe(true)
  })

  it('turn refusals into errors, with the platform’s words where it has some', async () => {
    const items = bindings.kv('kv').collection('c')
    answer = () => ({ status: 403, body: '{"code":"E_NOT_GRANTED","message":"no","hint":"add it"}' })
    expect(await failure(items.get('k'))).toMatchObject({
      code: 'E_NOT_GRANTED',
      message: 'no',
      hint: 'add it',
      retryable: false,
    })
    answer = () => ({ status: 403 })
    expect((await failure(items.get('k'))).code).toBe('E_NOT_GRANTED')
    for (const status of [500, 503, 429]) {
      answer = () => ({ status, body: 'the password is hunter2' })
      const error = await failure(items.get('k'))
      expect([error.code, error.retryable, error.message.includes('hunter2')]).toEqual([
        'E_BINDING_UNAVAILABLE',
        true,
        false,
      ])
    }
    answer = () => ({ status: 302, headers: { location: 'http://127.0.0.1:9/' } })
    expect((await failure(items.get('k'))).code).toBe('E_BINDING_UNAVAILABLE')
    expect(seen).toHaveLength(6)
  })

  it('do not follow a listing that does not move on', async () => {
    answer = () => ({ body: '{"items":[],"next":"same"}' })
    const list = async () => {
      for await (const _ of bindings.kv('kv').collection('c').list());
    }
    expect((await failure(list())).code).toBe('E_BINDING_REFUSED')
  })

  it('ask for a secret once in a burst, and again after a failure', async () => {
    answer = () => ({ status: 500 })
    const key = bindings.secret('secret')
    expect((await failure(key.get())).code).toBe('E_BINDING_UNAVAILABLE')
    answer = () => ({ body: 'value' })
    expect(await Promise.all([key.get(), key.get(), bindings.secret('secret').get()])).toEqual([
      'value',
      'value',
      'value',
    ])
    expect(seen).toHaveLength(2)
  })

  it('tell which messages of a batch were refused', async () => {
    answer = (request) =>
      request.headers['content-type'] === 'application/json' ? { body: '{"id":"1"}' } : { status: 403 }
    const results = await bindings.queue('queue').sendBatch(['a', new Uint8Array(1), 'b'])
    expect(results.map((one) => ('id' in one ? one.id : RuntimeError.is(one.error, 'E_NOT_GRANTED')))).toEqual([
      '1',
      true,
      '1',
    ])
  })

  it('reach another worker below its address, whatever it answers', async () => {
    answer = (request) => ({ status: 418, body: `${request.method} ${request.url}` })
    const response = await bindings.worker('worker').fetch('/tea?x=1', { method: 'POST', body: 'x' })
    expect([response.status, await response.text()]).toEqual([418, 'POST /worker/tea?x=1'])
  })

  it('refuse what is too large before it is sent', async () => {
    expect((await failure(bindings.kv('kv').collection('c').set('k', 'x'.repeat(65_536)))).code).toBe('E_TOO_LARGE')
    expect((await failure(bindings.queue('queue').send('é'.repeat(131_072)))).code).toBe('E_TOO_LARGE')
    await expect(bindings.queue('queue').send(undefined)).rejects.toThrow(TypeError)
    expect(seen).toEqual([])
  })
})

describe('keys', () => {
  it('survive a URL, or are refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }), (key) => {
        fc.pre(key !== '.' && key !== '..')
        const url = new URL(`http://host/objects/${encodeKey(key, 'storage')}?q=1`)
        const [, root, segment, ...others] = url.pathname.split('/')
        expect([root, decodeURIComponent(segment ?? ''), others, url.search]).toEqual(['objects', key, [], '?q=1'])
      }),
    )
  })
})
