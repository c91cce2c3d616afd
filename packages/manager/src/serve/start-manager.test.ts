import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@landfall/contract'
import { removePostgres } from '@landfall/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { createVendor } from '../testing/vendor.ts'
import { type Manager, startManager } from './start-manager.ts'

let server: TestServer
let directory = ''
beforeAll(async () => {
  server = await startTestServer()
  directory = await mkdtemp(join(tmpdir(), 'landfall-serve-'))
})
afterAll(async () => {
  await server.stop()
  await removePostgres(join(directory, 'own', 'postgres'))
  await rm(directory, { recursive: true, force: true })
})

const start = (databaseUrl: string, more: object = {}) =>
  startManager({ dataDir: directory, port: 0, databaseUrl, webDirectory: null, ...more })

/** The first account, by the link that the start printed; answers its API token. */
async function firstToken(manager: Manager): Promise<string> {
  let cookie = ''
  const browser: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    if (cookie !== '') headers.set('cookie', cookie)
    headers.set('origin', manager.url)
    const response = await fetch(input, { ...init, headers })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return response
  }
  const client = createClient({ url: manager.url, fetch: browser })
  const token = new URL(manager.bootstrapUrl ?? '').searchParams.get('token') ?? ''
  const person = { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' }
  await client.bootstrap({ body: { token, ...person } })
  return (await client.createOwnToken({ body: { name: 'test' } })).secret
}

describe('startManager', () => {
  it('starts over its own PostgreSQL, keeps everything over a restart, and stops twice as well as once', async () => {
    const own = join(directory, 'own')
    const first = await startManager({ dataDir: own, port: 0, webDirectory: null })
    const token = await firstToken(first)
    const vendor = createVendor('acme', Date.now())
    const body = { name: 'acme', rootPublicKey: vendor.root.publicKey, keyset: await vendor.keyset(1) }
    await createClient({ url: first.url, token }).createProject({ body })
    await Promise.all([first.stop(), first.stop()])
    const second = await startManager({ dataDir: own, port: 0, webDirectory: null })
    expect(second.bootstrapUrl).toBeNull()
    const { items } = await createClient({ url: second.url, token }).listProjects({})
    expect(items.map((item) => item.name)).toEqual(['acme'])
    await second.stop()
    await expect(fetch(`${second.url}/health`)).rejects.toThrow()
  })

  it('starts several at once on one new database; each sees what the others did', async () => {
    const { url } = await server.empty()
    const managers = await Promise.all([start(url), start(url), start(url)])
    const open = await Promise.all(
      managers.map(async (manager) => {
        const ready = (await (await fetch(`${manager.url}/ready`)).json()) as { status: string }
        return ready.status
      }),
    )
    expect(open).toEqual(['ready', 'ready', 'ready'])
    // Only the newest link opens: of three starts at once, one is left.
    const tokens = await Promise.allSettled(managers.map((manager) => firstToken(manager)))
    const token = tokens.find((result) => result.status === 'fulfilled')?.value ?? ''
    expect(tokens.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
    for (const manager of managers) {
      const me = await createClient({ url: manager.url, token }).whoami({})
      expect(me.user?.email).toBe('ada@example.com')
    }
    await Promise.all(managers.map((manager) => manager.stop()))
  })

  it('finishes calls under way when it ends, and takes no new ones', async () => {
    const { url } = await server.empty()
    const manager = await start(url)
    const token = await firstToken(manager)
    const { port } = new URL(manager.url)
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    const body = JSON.stringify({ name: 'slow' })
    // Half of a call: its handler cannot answer before the rest has come.
    socket.write(
      `POST /api/tokens HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n` +
        `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body.slice(0, 5)}`,
    )
    // A second call on its own connection is answered meanwhile, so the first has surely been taken.
    expect((await fetch(`${manager.url}/health`)).status).toBe(200)
    const stopping = manager.stop()
    let answer = ''
    socket.on('data', (chunk) => {
      answer += String(chunk)
    })
    socket.write(body.slice(5))
    await once(socket, 'close')
    await stopping
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
    expect(answer).toContain('lf_user_')
  })

  it('leaves nothing running when it cannot start, and says why', async () => {
    const { url } = await server.empty()
    const manager = await start(url)
    const port = Number(new URL(manager.url).port)
    await expect(startManager({ dataDir: directory, port, databaseUrl: url })).rejects.toMatchObject({
      code: 'E_PORT_IN_USE',
    })
    await manager.stop()

    const other = join(directory, 'other')
    const wrong = await startManager({ dataDir: other, port: 0, databaseUrl: url }).catch((error: unknown) => error)
    expect(wrong).toMatchObject({ code: 'E_MASTER_KEY_WRONG' })
    // The port is free again.
    const again = await start(url, { port })
    await again.stop()
  })

  it('refuses a database that a newer manager has brought on', async () => {
    const { url } = await server.empty()
    const database = openDatabase(url)
    await migrate(database.pool)
    await database.pool.query(`insert into schema_migrations (version, name, checksum) values (9999, 'future', 'x')`)
    await database.close()
    await expect(start(url)).rejects.toMatchObject({ code: 'E_SCHEMA_NEWER' })
  })
})
