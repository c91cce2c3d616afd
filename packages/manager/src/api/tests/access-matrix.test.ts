import { type Access, type Operation, type Role, type Route, roles, routes } from '@landfall/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashToken } from '../../auth/token.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager } from '../../testing/manager.ts'
import { handlers } from '../handlers.ts'

/** Who calls, as the test knows it; what it may do is worked out here again, from the table alone. */
interface Caller {
  name: string
  token?: string
  cookie?: string
  kind: 'nobody' | 'person' | 'ci' | 'deployer' | 'agent'
  role?: Role
  operator?: boolean
  /** Bound to another project, or to another deployment of this one. */
  foreign?: 'project' | 'deployment'
}
type Verdict = 'allow' | 401 | 403 | 404

function expected(access: Access, caller: Caller, path: string): Verdict {
  if (access.public) return 'allow'
  if (caller.kind === 'nobody') return 401
  if (caller.kind === 'person') {
    if (access.signedIn) return 'allow'
    if (access.operator) return caller.operator ? 'allow' : 403
    if (access.role === undefined) return 403
    if (caller.operator) return 'allow'
    if (caller.role === undefined) return 404
    return roles.indexOf(caller.role) <= roles.indexOf(access.role) ? 'allow' : 403
  }
  if (caller.foreign === 'project' && path.includes('{project}')) return 404
  if (caller.foreign === 'deployment' && path.includes('{deployment}')) return 404
  return access.tokens?.includes(caller.kind) ? 'allow' : 403
}

let server: TestServer
let manager: TestManager
const callers: Caller[] = []
let deployment = ''

beforeAll(async () => {
  server = await startTestServer()
  manager = await createTestManager(server)
  const { db, clock } = manager
  await manager.project('acme')
  await manager.project('other')
  const admin = await manager.person('root', { operator: true })
  const make = async (project: string, name: string) =>
    (await manager.client(admin.token).createDeployment({ params: { project }, body: { name, platform: 'local' } })).id
  deployment = await make('acme', 'eu')
  const second = await make('acme', 'us')
  const foreign = await make('other', 'eu')
  for (const role of roles) {
    const { token } = await manager.person(role, { project: 'acme', role })
    callers.push({ name: role, kind: 'person', role, token })
  }
  const outsider = await manager.person('outsider', { project: 'other', role: 'admin' })
  const removed = await manager.person('removed', { project: 'acme', role: 'admin' })
  await db
    .updateTable('users')
    .set({ removed_at: new Date(clock.now()) })
    .where('id', '=', removed.id)
    .execute()
  const of = (project: string, deployment?: string) => ({ project, ...(deployment ? { deployment } : {}) })
  const expired = await manager.machine('ci', of('acme'))
  const revoked = await manager.machine('ci', of('acme'))
  const at = new Date(clock.now())
  const hashed = (token: string) => db.updateTable('tokens').where('hash', '=', hashToken(token))
  await hashed(expired).set({ expires_at: at }).execute()
  await hashed(revoked).set({ revoked_at: at }).execute()
  const inSession = (project: string, deployment: string, name: string, ms = 60_000) =>
    manager.services.agents.tokens.issue({ project, deployment, name, session: 1, expires: clock.now() + ms })
  callers.push(
    { name: 'operator', kind: 'person', operator: true, token: admin.token },
    { name: 'outsider', kind: 'person', token: outsider.token },
    { name: 'nobody', kind: 'nobody' },
    { name: 'no token at all', kind: 'nobody', token: 'hello' },
    { name: 'unknown token', kind: 'nobody', token: `lf_ci_${'x'.repeat(43)}` },
    { name: 'unknown session', kind: 'nobody', cookie: 'landfall=nothing' },
    { name: 'expired', kind: 'nobody', token: expired },
    { name: 'revoked', kind: 'nobody', token: revoked },
    { name: 'removed person', kind: 'nobody', token: removed.token },
    { name: 'ci', kind: 'ci', token: await manager.machine('ci', of('acme')) },
    { name: 'deployer', kind: 'deployer', token: await manager.machine('deployer', of('acme', deployment)) },
    { name: 'agent', kind: 'agent', token: await manager.machine('agent', of('acme', deployment)) },
    { name: 'ci elsewhere', kind: 'ci', foreign: 'project', token: await manager.machine('ci', of('other')) },
    {
      name: 'agent elsewhere',
      kind: 'agent',
      foreign: 'project',
      token: await manager.machine('agent', of('other', foreign)),
    },
    {
      name: 'deployer of another deployment',
      kind: 'deployer',
      foreign: 'deployment',
      token: await manager.machine('deployer', of('acme', second)),
    },
    { name: 'agent in a session', kind: 'agent', token: inSession('acme', deployment, 'eu') },
    {
      name: 'agent in a session of another deployment',
      kind: 'agent',
      foreign: 'deployment',
      token: inSession('acme', second, 'us'),
    },
    {
      name: 'agent in a session elsewhere',
      kind: 'agent',
      foreign: 'project',
      token: inSession('other', foreign, 'eu'),
    },
    { name: 'agent whose session has expired', kind: 'nobody', token: inSession('acme', deployment, 'eu', -1) },
    {
      name: 'forged session',
      kind: 'nobody',
      token: `${inSession('acme', deployment, 'eu').slice(0, -43)}${'A'.repeat(43)}`,
    },
    {
      name: 'agent of another deployment',
      kind: 'agent',
      foreign: 'deployment',
      token: await manager.machine('agent', of('acme', second)),
    },
  )
})
afterAll(() => server.stop())

const values: Record<string, () => string> = {
  project: () => 'acme',
  deployment: () => 'eu',
  digest: () => `sha256:${'0'.repeat(64)}`,
  release: () => '1.0.0',
  channel: () => 'stable',
  group: () => 'ring',
  rollout: () => 'rol_none',
  command: () => 'cmd_none',
  user: () => 'nobody@example.com',
  id: () => 'none',
  code: () => 'E_NOT_FOUND',
  trace: () => '0'.repeat(32),
}

describe('who may call what', () => {
  it('has a handler for every route', () => {
    expect(Object.keys(handlers).sort()).toEqual(Object.keys(routes).sort())
  })

  it.each(Object.entries(routes) as [Operation, Route][])('%s', async (_, route) => {
    const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name]
      if (!value) throw new Error(`the test has no value for ${name}`)
      return encodeURIComponent(value())
    })
    const wrong: string[] = []
    for (const caller of callers) {
      const response = await manager.call(route.method, path, {
        ...(caller.token === undefined ? {} : { token: caller.token }),
        headers: caller.cookie === undefined ? {} : { cookie: caller.cookie },
        ...(route.body === null ? {} : { body: route.body === 'bytes' ? new Uint8Array([1]) : {} }),
      })
      const text = route.result === 'events' && response.ok ? '' : await response.text()
      await response.body?.cancel().catch(() => {})
      const verdict = expected(route.access, caller, route.path)
      const got = response.status
      // What an allowed caller sends here is mostly not valid; that is answered as such, and not as a lack of rights.
      const hidden = got === 404 && /There is no (project|deployment|call) /.test(text)
      const allowed = got < 500 && got !== 401 && got !== 403 && !hidden
      if (verdict === 'allow' ? !allowed : got !== verdict)
        wrong.push(`${caller.name}: ${got}, not ${verdict}: ${text.slice(0, 200)}`)
      if (got >= 400 && !/"code":"E_[A-Z_]+","hint":"[^"]+/.test(text))
        wrong.push(`${caller.name}: no problem document: ${text}`)
    }
    expect(wrong).toEqual([])
  })

  it('never failed inside', () => {
    expect(manager.warnings).toEqual([])
  })

  it('has no role in a project that is called like a property of every object', async () => {
    await manager.project('constructor')
    const viewer = callers.find((caller) => caller.name === 'viewer')?.token ?? ''
    for (const project of ['constructor', 'valueof', 'prototype']) {
      expect((await manager.call('GET', `/api/projects/${project}`, { token: viewer })).status).toBe(404)
      expect((await manager.call('DELETE', `/api/projects/${project}`, { token: viewer })).status).toBe(404)
    }
  })

  it('takes a deployment token by name and by id, and by no other', async () => {
    const token = callers.find((caller) => caller.name === 'deployer')?.token ?? ''
    for (const [of, status] of [
      ['eu', 200],
      [deployment, 200],
      ['us', 404],
      ['dep_00000000000000000000', 404],
    ] as const) {
      const response = await manager.call('GET', `/api/projects/acme/deployments/${of}/config`, { token })
      expect(response.status, of).toBe(status)
    }
  })
})
