import { type Client, createClient, type Role } from '@landfall/contract'
import type { Log } from '@landfall/engine'
import type { KeysetEnvelope } from '@landfall/release'
import { createAgents } from '../agents/agents.ts'
import { defaultPlan } from '../api/default-plan.ts'
import { handlers } from '../api/handlers.ts'
import { Attempts } from '../auth/attempts.ts'
import { SingleSignOn } from '../auth/single-sign-on.ts'
import { newToken } from '../auth/token.ts'
import { Usage } from '../auth/usage.ts'
import { idleControl } from '../control/testing/idle-control.ts'
import { createApp } from '../http/create-app.ts'
import { RequestMetrics } from '../http/request-metrics.ts'
import type { AccessLine, Services } from '../http/services.ts'
import type { Settings } from '../http/settings.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { OpenDatabase } from '../store/database.ts'
import { newId } from '../store/new-id.ts'
import { type TestClock, testClock } from './clock.ts'
import type { TestServer } from './database.ts'
import { createVendor, type Vendor } from './vendor.ts'

export interface CallOptions {
  token?: string
  headers?: Record<string, string>
  /** JSON, unless it is bytes. */
  body?: unknown
}

/** A manager's API without a port and without loops, on a database of its own. */
export interface TestManager extends OpenDatabase {
  services: Services
  clock: TestClock
  accessLog: AccessLine[]
  warnings: string[]
  call(method: string, path: string, options?: CallOptions): Promise<Response>
  client(token: string): Client
  /** A person with a token; with a role where a project is given. */
  person(
    name: string,
    options?: { operator?: boolean; project?: string; role?: Role },
  ): Promise<{ id: string; token: string }>
  /** A machine token. */
  machine(kind: 'ci' | 'deployer' | 'agent', of: { project: string; deployment?: string }): Promise<string>
  /** A project whose vendor's keys are at hand, with the channel `stable`. */
  project(name: string): Promise<Vendor & { keysetEnvelope: KeysetEnvelope }>
}

export const testUrl = 'http://landfall.test'

export async function createTestManager(server: TestServer, settings: Partial<Settings> = {}): Promise<TestManager> {
  const database = await server.database()
  const { db, pool } = database
  const clock = testClock()
  const accessLog: AccessLine[] = []
  const warnings: string[] = []
  const log: Log = {
    info: () => {},
    warn: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields ?? {})}`),
  }
  const random = { next: () => 0.5 }
  const keyring = await openKeyring(db, localMasterKey(Buffer.alloc(32, 7)), clock.now())
  const waker = { wake: () => {} }
  const services: Services = {
    db,
    pool,
    clock,
    random,
    log,
    keyring,
    control: idleControl({ db, clock, random, log, keyring }),
    settings: {
      publicUrl: testUrl,
      environmentsDirectory: '/nowhere',
      version: 'test',
      webDirectory: null,
      oidc: null,
      sessionMs: 86_400_000,
      ...settings,
    },
    usage: new Usage(),
    attempts: new Attempts(),
    singleSignOn: new SingleSignOn(),
    waker,
    agents: createAgents({ db, keyring, clock, waker, poll: { waitMs: 100_000 } }),
    requests: new RequestMetrics(),
    accessLog: (line) => accessLog.push(line),
    stopping: new AbortController().signal,
    afterCommit: (work) => work(),
  }
  const app = createApp(services, handlers)
  const call: TestManager['call'] = async (method, path, { token, headers = {}, body } = {}) => {
    const all = new Headers(headers)
    if (token !== undefined) all.set('authorization', `Bearer ${token}`)
    const raw = body instanceof Uint8Array || typeof body === 'string'
    const content = raw ? (body as Uint8Array<ArrayBuffer> | string) : JSON.stringify(body)
    if (body !== undefined && !all.has('content-type')) {
      all.set('content-type', raw ? 'application/octet-stream' : 'application/json')
    }
    const init = { method, headers: all, ...(body === undefined ? {} : { body: content }) }
    return app.request(`${testUrl}${path}`, init)
  }
  return {
    ...database,
    services,
    clock,
    accessLog,
    warnings,
    call,
    client: (token) =>
      createClient({ url: testUrl, token, fetch: async (input, init) => app.request(String(input), init) }),
    person: async (name, { operator = false, project, role = 'viewer' } = {}) => {
      const id = newId('usr')
      const at = new Date(clock.now())
      await db
        .insertInto('users')
        .values({ id, email: `${name}@example.com`, name, operator, created_at: at })
        .execute()
      if (project !== undefined) await db.insertInto('members').values({ project, user_id: id, role }).execute()
      return { id, token: await issue(db, clock, { kind: 'user', user_id: id }) }
    },
    machine: (kind, { project, deployment }) =>
      issue(db, clock, { kind, project, ...(deployment === undefined ? {} : { deployment }) }),
    project: async (name) => {
      const vendor = createVendor(name, clock.now())
      const keysetEnvelope = await vendor.keyset(1)
      const at = new Date(clock.now())
      await db
        .insertInto('projects')
        .values({
          name,
          root_public_key: vendor.root.publicKey,
          root_key_id: vendor.root.id,
          keyset: JSON.stringify(keysetEnvelope),
          keyset_version: 1,
          created_at: at,
          created_by: 'test',
        })
        .execute()
      const channel = { project: name, name: 'stable', plan: JSON.stringify(defaultPlan), created_at: at }
      await db.insertInto('channels').values(channel).execute()
      return { ...vendor, keysetEnvelope }
    },
  }
}

async function issue(
  db: OpenDatabase['db'],
  clock: TestClock,
  of: { kind: 'user' | 'ci' | 'deployer' | 'agent'; user_id?: string; project?: string; deployment?: string },
): Promise<string> {
  const { secret, hash, prefix } = newToken(of.kind)
  const times = { created_at: new Date(clock.now()), expires_at: new Date(clock.now() + 86_400_000) }
  await db
    .insertInto('tokens')
    .values({ id: newId('tok'), hash, prefix, name: `test ${of.kind}`, created_by: 'test', ...times, ...of })
    .execute()
  return secret
}
