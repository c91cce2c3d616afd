import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { type IdentityProvider, startIdentityProvider } from '../testing/identity-provider.ts'
import { createTestManager, type TestManager } from '../testing/manager.ts'

let server: TestServer
let provider: IdentityProvider
let manager: TestManager
beforeAll(async () => {
  server = await startTestServer()
  provider = await startIdentityProvider()
  const { issuer, clientId, clientSecret } = provider
  manager = await createTestManager(server, { oidc: { issuer, clientId, clientSecret, name: 'Acme' } })
  await manager.person('ada')
})
afterAll(async () => {
  await provider.stop()
  await server.stop()
})
beforeEach(() => {
  for (const name of Object.keys(provider.next)) Reflect.deleteProperty(provider.next, name)
  provider.next.email = 'Ada@example.com'
})

/** Leaves for the provider and returns, as a browser does: the way back, and the cookie that was set. */
async function leave(to = '/p/acme') {
  const start = await manager.call('GET', `/api/auth/oidc/start?to=${encodeURIComponent(to)}`)
  expect(start.status).toBe(302)
  const cookie = start.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const there = await fetch(start.headers.get('location') ?? '', { redirect: 'manual' })
  const back = new URL(there.headers.get('location') ?? '')
  return { cookie, back: `${back.pathname}${back.search}` }
}
const arrive = (back: string, cookie: string) => manager.call('GET', back, { headers: cookie === '' ? {} : { cookie } })
const sessionOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0] ?? '')
    .find((pair) => pair.startsWith('landfall='))

describe('single sign-on', () => {
  it('signs an invited person in, and leads to where they wanted to go', async () => {
    const { cookie, back } = await leave('/p/acme?group=ring-0')
    const response = await arrive(back, cookie)
    expect(response.headers.get('location')).toBe('http://landfall.test/p/acme?group=ring-0')
    const me = await manager.call('GET', '/api/whoami', { headers: { cookie: sessionOf(response) ?? '' } })
    expect(await me.json()).toMatchObject({ kind: 'session', user: { email: 'ada@example.com' } })
    const providers = await manager.call('GET', '/api/auth/providers')
    expect(await providers.json()).toMatchObject({ oidc: { name: 'Acme' } })
  })

  it('never leads to another site', async () => {
    for (const to of ['//evil.example/x', '/\\evil.example', '/%2F/evil.example']) {
      const { cookie, back } = await leave(to)
      const { headers } = await arrive(back, cookie)
      expect(new URL(headers.get('location') ?? '').origin, to).toBe('http://landfall.test')
    }
  })

  const refused = async (response: Response, code: string) => {
    expect(response.status).toBe(302)
    expect(response.headers.get('location')).toBe(`http://landfall.test/sign-in?problem=${code}`)
    expect(sessionOf(response)).toBeUndefined()
  }

  it('is refused in another browser than the one it was begun in, and a second time', async () => {
    const { cookie, back } = await leave()
    await refused(await arrive(back, ''), 'E_SSO_FAILED')
    expect(sessionOf(await arrive(back, cookie))).toBeDefined()
    await refused(await arrive(back, cookie), 'E_SSO_FAILED')
  })

  it('is refused after ten minutes', async () => {
    const { cookie, back } = await leave()
    manager.clock.advance(11 * 60_000)
    await refused(await arrive(back, cookie), 'E_SSO_FAILED')
    manager.clock.advance(-11 * 60_000)
  })

  it('is refused to whoever was not invited, or whose address is not proved', async () => {
    provider.next.email = 'eve@example.com'
    const first = await leave()
    await refused(await arrive(first.back, first.cookie), 'E_SSO_UNKNOWN')
    provider.next.email = 'ada@example.com'
    provider.next.emailVerified = false
    const second = await leave()
    await refused(await arrive(second.back, second.cookie), 'E_SSO_EMAIL')
  })

  it.each([
    ['of another sign-in', { nonce: 'other' }],
    ['for another client', { audience: 'other' }],
    ['signed by a stranger', { wrongKey: true }],
  ])('is refused with an ID token %s', async (_, misbehaviour) => {
    Object.assign(provider.next, misbehaviour)
    const { cookie, back } = await leave()
    await refused(await arrive(back, cookie), 'E_SSO_FAILED')
  })

  it('says that it is off, and that the provider does not answer', async () => {
    const off = await createTestManager(server)
    const response = await off.call('GET', '/api/auth/oidc/start')
    expect(((await response.json()) as { code: string }).code).toBe('E_SSO_OFF')
    const oidc = { issuer: 'http://127.0.0.1:9', clientId: 'x', clientSecret: 'y', name: 'x' }
    const gone = await createTestManager(server, { oidc })
    const away = await gone.call('GET', '/api/auth/oidc/start')
    expect(away.status).toBe(503)
    expect(((await away.json()) as { code: string }).code).toBe('E_SSO_PROVIDER')
    const browser = await gone.call('GET', '/api/auth/oidc/start?to=/p/acme', { headers: { accept: 'text/html' } })
    expect(browser.status).toBe(302)
    const page = 'http://landfall.test/sign-in?problem=E_SSO_PROVIDER&to=%2Fp%2Facme'
    expect(browser.headers.get('location')).toBe(page)
  })
})
