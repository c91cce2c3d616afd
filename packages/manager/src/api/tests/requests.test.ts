import { Kysely, PostgresDialect } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { once } from '../../http/idempotency.ts'
import { inOneTransaction } from '../../http/in-one-transaction.ts'
import type { Services } from '../../http/services.ts'
import type { Schema } from '../../store/database.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager } from '../../testing/manager.ts'
import { freezeHandlers } from '../handlers/freezes.ts'

let server: TestServer
let manager: TestManager
let token = ''
beforeAll(async () => {
  server = await startTestServer()
  manager = await createTestManager(server)
  await manager.project('acme')
  token = (await manager.person('root', { operator: true })).token
})
afterAll(() => server.stop())

const freezes = '/api/projects/acme/freezes'
async function refusal(response: Response) {
  const body = (await response.json()) as {
    code: string
    status: number
    detail: string
    problems?: { path: string }[]
  }
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(body.status).toBe(response.status)
  return body
}

describe('what is sent', () => {
  it('is refused with every unknown field and wrong type named, and never with a value', async () => {
    const body = {
      name: 'Has Capitals',
      platform: 'moon',
      secrets: { key: 12345678 },
      colour: 'red',
      inputs: { a: { b: 1 } },
    }
    const response = await manager.call('POST', '/api/projects/acme/deployments', { token, body })
    expect(response.status).toBe(400)
    const { code, problems } = await refusal(response)
    expect(code).toBe('E_INVALID_REQUEST')
    expect(problems?.map((problem) => problem.path).sort()).toEqual([
      'colour',
      'inputs.a',
      'name',
      'platform',
      'secrets.key',
    ])
    expect(JSON.stringify(problems)).not.toContain('12345678')
  })

  it('has a query that is known, once', async () => {
    for (const query of ['colour=red', 'limit=0', 'limit=ten', 'limit=5&limit=6', 'health=fine']) {
      const response = await manager.call('GET', `/api/projects/acme/deployments?${query}`, { token })
      expect(response.status, query).toBe(400)
    }
  })

  it('is JSON, announced as such', async () => {
    const type = { 'content-type': 'application/json' }
    for (const body of ['{', 'null', '[]', '"x"', '\ufeff{}x']) {
      expect((await manager.call('POST', freezes, { token, body, headers: type })).status, body).toBe(400)
    }
    const invalid = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])
    expect((await manager.call('POST', freezes, { token, body: invalid, headers: type })).status).toBe(400)
    const text = { 'content-type': 'text/plain' }
    const response = await manager.call('POST', freezes, { token, body: '{"reason":"x"}', headers: text })
    expect((await refusal(response)).code).toBe('E_MEDIA_TYPE')
  })

  it('holds no NUL: PostgreSQL has no text with one', async () => {
    const response = await manager.call('POST', freezes, { token, body: { reason: 'a\0b' } })
    expect((await refusal(response)).code).toBe('E_INVALID_REQUEST')
    const path = await manager.call('GET', '/api/projects/acme/deployments?text=%00', { token })
    expect(path.status).toBe(400)
  })

  it('is refused by its announced length before it is read', async () => {
    const response = await manager.call('POST', freezes, {
      token,
      body: '{}',
      headers: { 'content-type': 'application/json', 'content-length': '9999999' },
    })
    expect((await refusal(response)).code).toBe('E_BODY_TOO_LARGE')
  })

  it('is refused as soon as it passes the limit when no length was announced, and the rest is not read', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536
        if (sent > 64_000_000) controller.close()
        else controller.enqueue(new Uint8Array(65_536))
      },
    })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const { createApp } = await import('../../http/create-app.ts')
    const { handlers } = await import('../handlers.ts')
    const init = { method: 'POST', headers, body, duplex: 'half' }
    const response = await createApp(manager.services, handlers).request(
      `http://landfall.test${freezes}`,
      init as RequestInit,
    )
    expect(response.status).toBe(413)
    expect(sent).toBeLessThan(2_000_000)
  })

  it('is not read at all before the sender was let in', async () => {
    const response = await manager.call('POST', freezes, {
      body: '{',
      headers: { 'content-type': 'application/json', 'content-length': '9999999' },
    })
    expect(response.status).toBe(401)
  })
})

describe('the same call again', () => {
  const post = (key: string, body: unknown, by = token) =>
    manager.call('POST', freezes, { token: by, body, headers: { 'idempotency-key': key } })

  it('gets the first answer and changes nothing', async () => {
    const first = await (await post('a', { reason: 'holidays' })).json()
    const second = await post('a', { reason: 'holidays' })
    expect(second.status).toBe(201)
    expect(await second.json()).toEqual(first)
    const { items } = await manager.client(token).listFreezes({ params: { project: 'acme' } })
    expect(items.filter((freeze) => freeze.reason === 'holidays')).toHaveLength(1)
  })

  it('with another body is refused', async () => {
    await post('b', { reason: 'one' })
    expect((await refusal(await post('b', { reason: 'two' }))).code).toBe('E_IDEMPOTENCY_MISMATCH')
  })

  it('by somebody else is their own call', async () => {
    const other = await manager.person('dev', { project: 'acme', role: 'developer' })
    await post('c', { reason: 'mine' })
    expect((await post('c', { reason: 'theirs' }, other.token)).status).toBe(201)
  })

  it('at the same moment runs once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post('d', { reason: 'at once' })))
    const codes = answers.map((answer) => answer.status)
    expect(codes.filter((code) => code === 201).length).toBeGreaterThan(0)
    expect(codes.every((code) => code === 201 || code === 409)).toBe(true)
    const { items } = await manager.client(token).listFreezes({ params: { project: 'acme' } })
    expect(items.filter((freeze) => freeze.reason === 'at once')).toHaveLength(1)
  })

  it('after a refusal is tried again', async () => {
    const until = new Date(manager.clock.now() + 1000).toISOString()
    manager.clock.advance(2000)
    expect((await post('e', { reason: 'late', until })).status).toBe(400)
    manager.clock.advance(-2000)
    expect((await post('e', { reason: 'late', until })).status).toBe(201)
  })

  it('keeps what it answered sealed: a token that was shown once is not plain in the database', async () => {
    const call = () =>
      manager.call('POST', '/api/tokens', { token, body: { name: 'laptop' }, headers: { 'idempotency-key': 'f' } })
    const { secret } = (await (await call()).json()) as { secret: string }
    expect(((await (await call()).json()) as { secret: string }).secret).toBe(secret)
    const rows = await manager.db.selectFrom('idempotency_keys').select('response').execute()
    expect(rows.some((row) => row.response?.toString('latin1').includes(secret))).toBe(false)
  })

  it('whose manager was lost at any of its statements left nothing, and may be sent again at once', async () => {
    const frozen = async () =>
      (await manager.client(token).listFreezes({ params: { project: 'acme' } })).items.filter(
        ({ reason }) => reason === 'once',
      )
    const body = JSON.stringify({ reason: 'once' })
    let lost = 0
    for (let statements = 1; (await frozen()).length === 0; statements++) {
      expect(statements).toBeLessThan(40)
      const call = { caller: 'tok_1', key: 'g', content: [body] }
      await once(losing(manager.services, statements), call, async (services) => {
        const handler = freezeHandlers.createFreeze
        const made = await handler(
          { params: { project: 'acme' }, body: { reason: 'once', until: null }, actor: 'ada' } as never,
          services,
        )
        return { status: 201, body: JSON.stringify(made) }
      }).then(
        () => {},
        () => lost++,
      )
    }
    // Lock, look, savepoint, what a freeze writes, the answer: each was the last in its turn.
    expect(lost).toBeGreaterThan(6)
    expect(await frozen()).toHaveLength(1)
    expect(
      await manager.db.selectFrom('audit_entries').select('type').where('message', 'like', '%: once').execute(),
    ).toHaveLength(1)
  })

  it('that opens a transaction which fails, and goes on, keeps what it wrote before', async () => {
    const groups = () =>
      manager.db.selectFrom('groups').select('name').where('name', 'like', 'kept-%').orderBy('name').execute()
    await inOneTransaction(manager.services, async ({ db, afterCommit }) => {
      const put = (name: string) => db.insertInto('groups').values({ project: 'acme', name }).execute()
      await put('kept-1')
      const twice = db.transaction().execute(async (trx) => {
        await trx.insertInto('groups').values({ project: 'acme', name: 'kept-2' }).execute()
        await trx.insertInto('groups').values({ project: 'acme', name: 'kept-1' }).execute()
      })
      await expect(twice).rejects.toThrow('duplicate key')
      await put('kept-3')
      // Nobody else sees it yet; what reads it again waits for the commit.
      expect(await groups()).toEqual([])
      await afterCommit(async () => expect(await groups()).toEqual([{ name: 'kept-1' }, { name: 'kept-3' }]))
    })
    expect(await groups()).toHaveLength(2)
    expect.assertions(4)
  })
})

/** Services of a manager that is lost to the database before the given statement of its call, counted from 1 with `begin`. */
function losing(services: Services, statement: number): Services {
  const connect = async () => {
    const client = await services.pool.connect()
    let next = 1
    return {
      query: (text: never, values: never) => {
        if (next++ < statement) return client.query(text, values)
        if (next === statement + 1) client.release(true)
        throw new Error('Connection terminated')
      },
      release: () => void (next <= statement && client.release()),
    }
  }
  const dialect = new PostgresDialect({ pool: { connect, end: async () => {} } as never })
  return { ...services, db: new Kysely<Schema>({ dialect }) }
}

describe('every answer', () => {
  it('carries security headers and a request id, and its line in the log carries no secret', async () => {
    const response = await manager.call('GET', '/api/auth/oidc/callback?code=hunter2&state=x')
    expect(response.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(JSON.stringify([manager.accessLog, manager.warnings])).not.toContain('hunter2')
    expect(manager.accessLog.at(-1)).toMatchObject({ operation: 'oidcCallback', status: 302 })
  })

  it('is a problem document where there is no such call, and the web app elsewhere', async () => {
    expect((await refusal(await manager.call('GET', '/api/nothing'))).code).toBe('E_NOT_FOUND')
    expect((await refusal(await manager.call('POST', '/nothing', { body: {} }))).code).toBe('E_NOT_FOUND')
    const page = await manager.call('GET', '/p/acme')
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('npm run build')
  })

  it('is counted for Prometheus', async () => {
    const text = await (await manager.call('GET', '/metrics')).text()
    expect(text).toMatch(/landfall_http_request_duration_seconds_count\{operation="createFreeze",status="201"\} \d+/)
    expect(text).toMatch(/^landfall_deployments 0$/m)
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? [\d.e+-]+)$/)
  })

  it('of a failure inside says nothing of it', async () => {
    const before = manager.warnings.length
    await manager.db.schema.alterTable('freezes').renameTo('freezes_away').execute()
    const response = await manager.call('GET', freezes, { token })
    await manager.db.schema.alterTable('freezes_away').renameTo('freezes').execute()
    expect(response.status).toBe(500)
    const text = await response.text()
    expect(text).toContain('E_INTERNAL')
    expect(text).not.toContain('relation')
    expect(manager.warnings.length).toBe(before + 1)
  })
})
