import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Agent } from '../agent.ts'
import { SiteWorld } from '../testing/site-world.ts'
import { type LocalApi, serveLocalApi } from './local-api.ts'
import { createLocalClient } from './local-client.ts'

let world: SiteWorld
let agent: Agent
let data = ''
const token = 'a-token-of-the-test'
const apis: LocalApi[] = []
beforeAll(async () => {
  world = await SiteWorld.create()
  data = world.vendor.path('agent')
  agent = await world.start(data)
})
afterAll(async () => {
  for (const api of apis) await api.stop(100)
  await world[Symbol.asyncDispose]()
})

async function serve(at: Parameters<typeof serveLocalApi>[0]['at']): Promise<LocalApi> {
  const api = await serveLocalApi({ agent, data, at })
  apis.push(api)
  return api
}

/** A raw call: what a browser or a stranger could send. */
function call(url: string, options: { method?: string; headers?: Record<string, string>; body?: string | Buffer }) {
  return new Promise<{ status: number; type: string; body: string }>((resolve, reject) => {
    const sent = request(url, { method: options.method ?? 'GET', headers: options.headers ?? {} }, (response) => {
      let body = ''
      response.on('data', (chunk) => (body += chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body }),
      )
    })
    sent.on('error', reject)
    sent.end(options.body)
  })
}

describe('the local API on a port', () => {
  it('answers this machine with the token alone: no other host name, no browser, no other token', async () => {
    const { address } = await serve({ port: 0, token })
    const port = new URL(address).port
    const bearer = { authorization: `Bearer ${token}` }
    const status = async (headers: Record<string, string>) => {
      const answer = await call(`${address}/v1/status`, { headers })
      return [answer.status, answer.status === 200 ? null : JSON.parse(answer.body).code]
    }
    expect(await status(bearer)).toEqual([200, null])
    expect(await status({ ...bearer, host: `localhost:${port}` })).toEqual([200, null])
    expect(await status({ ...bearer, host: 'evil.example' })).toEqual([403, 'E_FORBIDDEN'])
    expect(await status({ ...bearer, host: `evil.example:${port}` })).toEqual([403, 'E_FORBIDDEN'])
    expect(await status({ ...bearer, host: `127.0.0.1:${Number(port) + 1}` })).toEqual([403, 'E_FORBIDDEN'])
    expect(await status({ ...bearer, origin: `http://127.0.0.1:${port}` })).toEqual([403, 'E_FORBIDDEN'])
    expect(await status({})).toEqual([401, 'E_UNAUTHENTICATED'])
    for (const wrong of [`${token}x`, token.slice(1), '', token.toUpperCase()]) {
      expect(await status({ authorization: `Bearer ${wrong}` })).toEqual([401, 'E_UNAUTHENTICATED'])
    }
  })

  it('bounds and checks what it is sent, and changes nothing by what it refuses', async () => {
    const { address } = await serve({ port: 0, token })
    const before = (await agent.audit(0, 500)).links.length
    const post = async (path: string, body: string | Buffer, method = 'POST') => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const answer = await call(`${address}${path}`, { method, headers, body })
      return { ...answer, code: answer.type === 'application/problem+json' ? JSON.parse(answer.body).code : null }
    }
    const large = JSON.stringify({ envelope: 'x'.repeat(5_000_000) })
    expect(await post('/v1/commands', large)).toMatchObject({ status: 413, code: 'E_BODY_TOO_LARGE' })
    for (const [path, body] of [
      ['/v1/commands', '{'],
      ['/v1/commands', '{"envelope":"x","more":1}'],
      ['/v1/settings', '{"change":{"updates":"sometimes"}}'],
      ['/v1/answers', '{"target":"sha256:0","status":"pass"}'],
      ['/v1/exports/confirm', '{"through":0}'],
      ['/v1/imports', '{}'],
    ] as const) {
      expect(await post(path, body), path + body).toMatchObject({ status: 400, code: 'E_INVALID_REQUEST' })
    }
    expect(await post('/v1/nothing', '{}')).toMatchObject({ status: 404, code: 'E_NOT_FOUND' })
    expect(await post('/v1/status', '', 'DELETE')).toMatchObject({ status: 404 })
    for (const file of ['relative.bundle', '/dev/zero', data]) {
      expect(await post('/v1/imports', JSON.stringify({ file }))).toMatchObject({
        status: 404,
        code: 'E_BUNDLE_NOT_FOUND',
      })
    }
    expect((await agent.audit(0, 500)).links).toHaveLength(before)
  })
})

describe('the local API on a socket', () => {
  it('is for owner and group, takes the place of a stale one, and of nothing else', async () => {
    const socket = world.vendor.path('agent.sock')
    const first = await serve({ socket })
    expect(statSync(socket).mode & 0o777).toBe(0o660)
    await first.stop(100)
    await serve({ socket })
    expect(await createLocalClient({ socket }).json({ method: 'GET', path: '/v1/status' })).toMatchObject({
      deployment: { name: 'initech' },
    })
    const file = world.vendor.path('precious')
    writeFileSync(file, 'kept')
    await expect(serve({ socket: file })).rejects.toMatchObject({ code: 'E_AGENT_SOCKET' })
    expect(statSync(file).size).toBe(4)
    await expect(serve({ socket: `/tmp/${'x'.repeat(120)}` })).rejects.toMatchObject({ code: 'E_AGENT_SOCKET' })
    await expect(serve({ socket: world.vendor.path('absent/agent.sock') })).rejects.toMatchObject({
      code: 'E_AGENT_SOCKET',
    })
  })

  it('says of an agent that ends in the middle of an import or an export that it may be done again', async () => {
    const socket = `${data}/ends.sock`
    const ends = createServer((_, response) => {
      response.writeHead(200)
      response.write(`${JSON.stringify({ progress: { done: 1, total: 2 } })}\n`, () => response.destroy())
    })
    await new Promise<void>((listening) => ends.listen(socket, listening))
    const body = { file: '/any.bundle', by: 'ada' }
    const imported = createLocalClient({ socket }).importing({ method: 'POST', path: '/v1/imports', body }, () => {})
    const again = { code: 'E_AGENT_UNREACHABLE', retryable: true }
    await expect(imported).rejects.toMatchObject(again)
    const { content } = await createLocalClient({ socket }).bytes({ method: 'POST', path: '/v1/exports', body: {} })
    await expect(buffer(content)).rejects.toMatchObject(again)
    ends.close()
  })

  it('takes an uploaded bundle as one that it finds, and leaves no upload behind', async () => {
    const socket = world.vendor.path('upload.sock')
    await mkdir(`${data}/uploads`, { recursive: true })
    writeFileSync(`${data}/uploads/left-by-a-kill`, 'x')
    await serve({ socket })
    const client = createLocalClient({ socket })
    const [first, second] = [await world.bundle(3), await world.bundle(4)]
    const told: number[] = []
    const importing = (file: string) =>
      client.importing({ method: 'PUT', path: '/v1/imports?by=ada', upload: { file } }, (done, total) =>
        told.push(done / total),
      )
    expect(await importing(first.file)).toMatchObject({ status: 'imported', releases: ['1.3.0'] })
    expect(told.at(-1)).toBe(1)
    const broken = world.vendor.path('broken.bundle')
    writeFileSync(broken, 'not a bundle at all')
    await expect(importing(broken)).rejects.toMatchObject({ code: expect.stringMatching(/^E_ARCHIVE/) })
    const byPath = { method: 'POST', path: '/v1/imports', body: { file: second.file, by: 'ada' } } as const
    expect(await client.importing(byPath, () => {})).toMatchObject({ status: 'imported', releases: ['1.4.0'] })
    expect(readdirSync(`${data}/uploads`)).toEqual([])
    const actors = (await agent.audit(0, 500)).links.filter((link) => link.type === 'bundle.imported')
    expect(actors.map((link) => link.actor)).toEqual(Array(2).fill('ada (at the site, as given)'))
  })
})
