import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootstrapLink } from '../../serve/bootstrap-link.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager, testUrl } from '../../testing/manager.ts'

let server: TestServer
let manager: TestManager
beforeAll(async () => {
  server = await startTestServer()
  manager = await createTestManager(server)
})
afterAll(() => server.stop())

const password = 'correct horse battery'
const link = async () => {
  const url = await bootstrapLink(manager.db, testUrl, manager.clock.now())
  return url === null ? null : new URL(url).searchParams.get('token')
}
const cookieOf = (response: Response) => response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code
const login = (email: string, with_ = password) =>
  manager.call('POST', '/api/auth/login', { body: { email, password: with_ }, headers: { origin: testUrl } })

// Each sign-in costs a password hash that is slow on purpose; on a machine with other work that adds up.
describe('signing in', { timeout: 120_000 }, () => {
  it('begins with a link that makes the first account, once', async () => {
    const old = await link()
    const token = await link()
    const body = { token, name: 'Ada', email: 'Ada@Example.com', password }
    const stale = await manager.call('POST', '/api/auth/bootstrap', { body: { ...body, token: old } })
    expect(await codeOf(stale)).toBe('E_LINK_INVALID')
    const short = await manager.call('POST', '/api/auth/bootstrap', { body: { ...body, password: 'short' } })
    expect(short.status).toBe(400)
    const made = await manager.call('POST', '/api/auth/bootstrap', { body })
    expect(made.status).toBe(201)
    expect(await made.json()).toMatchObject({ user: { email: 'ada@example.com', operator: true } })
    const again = await manager.call('POST', '/api/auth/bootstrap', { body: { ...body, email: 'eve@example.com' } })
    expect(await codeOf(again)).toBe('E_LINK_INVALID')
    expect(await link()).toBeNull()
    const providers = await manager.call('GET', '/api/auth/providers')
    expect(await providers.json()).toEqual({ local: true, needsBootstrap: false, oidc: null })
  })

  it('gives a session cookie that scripts cannot read, and that ends with its logout', async () => {
    const response = await login('ADA@example.com')
    expect(response.status).toBe(200)
    const header = response.headers.getSetCookie()[0]
    expect(header).toContain('HttpOnly')
    expect(header).toContain('SameSite=Lax')
    const cookie = cookieOf(response)
    const me = await manager.call('GET', '/api/whoami', { headers: { cookie } })
    expect(await me.json()).toMatchObject({ kind: 'session', user: { email: 'ada@example.com' } })
    expect((await manager.call('POST', '/api/auth/logout', { headers: { cookie, origin: testUrl } })).status).toBe(204)
    expect((await manager.call('GET', '/api/whoami', { headers: { cookie } })).status).toBe(401)
  })

  it('refuses a change that another site made the browser send', async () => {
    const cookie = cookieOf(await login('ada@example.com'))
    const create = (headers: Record<string, string>) =>
      manager.call('POST', '/api/tokens', { body: { name: 'x' }, headers: { cookie, ...headers } })
    expect(await codeOf(await create({ origin: 'https://evil.example' }))).toBe('E_CSRF')
    expect(await codeOf(await create({}))).toBe('E_CSRF')
    expect((await create({ origin: testUrl })).status).toBe(201)
    const foreign = await manager.call('POST', '/api/auth/login', {
      body: { email: 'ada@example.com', password },
      headers: { origin: 'https://evil.example' },
    })
    expect(await codeOf(foreign)).toBe('E_CSRF')
  })

  it('slides: a session that is used lasts, one that is not ends', async () => {
    const cookie = cookieOf(await login('ada@example.com'))
    const me = () => manager.call('GET', '/api/whoami', { headers: { cookie } })
    const { sessionMs } = manager.services.settings
    for (let i = 0; i < 3; i++) {
      manager.clock.advance(sessionMs * 0.8)
      expect((await me()).status).toBe(200)
      await manager.services.usage.flush(manager.db, sessionMs)
    }
    manager.clock.advance(sessionMs * 1.1)
    expect((await me()).status).toBe(401)
  })

  it('tells nobody which addresses have accounts, and slows guessing down', async () => {
    const wrong = await login('ada@example.com', 'wrong wrong wrong')
    const nobody = await login('nobody@example.com', 'wrong wrong wrong')
    const strip = async (response: Response) => ({ ...((await response.json()) as object), requestId: '' })
    expect(await strip(wrong)).toEqual(await strip(nobody))
    for (let i = 0; i < 4; i++) await login('ada@example.com', 'wrong wrong wrong')
    const slowed = await login('ada@example.com')
    expect(slowed.status).toBe(429)
    expect(await codeOf(slowed)).toBe('E_TOO_MANY_ATTEMPTS')
    manager.clock.advance(16 * 60_000)
    expect((await login('ada@example.com')).status).toBe(200)
  })

  it('by invitation, and no more after the person was removed', async () => {
    const root = await manager.person('root', { operator: true })
    const client = manager.client(root.token)
    const { user, link } = await client.inviteUser({ body: { email: 'grace@example.com', name: 'Grace' } })
    const token = new URL(link).searchParams.get('token')
    const joined = await manager.call('POST', '/api/auth/bootstrap', { body: { token, name: 'Grace H.', password } })
    expect(joined.status).toBe(201)
    const cookie = cookieOf(joined)
    expect((await manager.call('GET', '/api/users', { headers: { cookie } })).status).toBe(403)
    await client.removeUser({ params: { id: user.id } })
    expect((await manager.call('GET', '/api/whoami', { headers: { cookie } })).status).toBe(401)
    expect((await login('grace@example.com')).status).toBe(401)
  })

  it('stores neither passwords nor tokens', async () => {
    const { rows } = await manager.pool.query(
      `select string_agg(t, '') as all from (select u::text t from users u union all select s::text from sessions s
       union all select i::text from invitations i union all select k::text from tokens k) x`,
    )
    expect(rows[0].all).not.toContain(password)
    expect(rows[0].all).not.toMatch(/lf_user_[\w-]{20}/)
  })
})
