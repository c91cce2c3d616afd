import { type CustomerSettings, customerSettings, LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hashToken } from '../../auth/token.ts'
import { createCommandHandover } from '../../commands/agent-handover.ts'
import { claimCommand } from '../../commands/claim-command.ts'
import { queueCommand } from '../../commands/queue-command.ts'
import { findDeployment } from '../../store/deployments/find-deployment.ts'
import { Senders } from '../../telemetry/senders.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager, testUrl } from '../../testing/manager.ts'

type Client = ReturnType<TestManager['client']>
let server: TestServer
let manager: TestManager
let vendor: Awaited<ReturnType<TestManager['project']>>
let project = ''
let ci: Client
let admin: Client
let customer: Client
let count = 0

beforeAll(async () => {
  server = await startTestServer()
  manager = await createTestManager(server)
})
beforeEach(async () => {
  project = `acme${count++}`
  vendor = await manager.project(project)
  ci = manager.client(await manager.machine('ci', { project }))
  admin = manager.client((await manager.person(`admin${count}`, { project, role: 'admin' })).token)
})
afterAll(() => server.stop())

const params = () => ({ project, deployment: 'eu' })
const row = () => findDeployment(manager.db, project, 'eu')
const day = 86_400_000

async function publish(version: string, sequence: number, more: Partial<Parameters<typeof vendor.release>[0]> = {}) {
  const release = await vendor.release({ version, sequence, ...more })
  await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
  return (await ci.createRelease({ params: { project }, body: { envelope: release.envelope } })).release.digest
}
/** A deployment with a link of its customer's. */
async function deploy(settings: Partial<CustomerSettings> = {}, more: { model?: 'pull'; setup?: boolean } = {}) {
  const secrets = { 'stripe-key': 'sk_1' }
  const body = { name: 'eu', platform: 'local' as const, secrets, customer: customerSettings.parse(settings), ...more }
  await admin.createDeployment({ params: { project }, body })
  const { token } = await admin.createPortalLink({ params: params(), body: {} })
  customer = manager.client(token)
}
/** As the fleet's rollout tells it. */
const tell = (version: string) => admin.updateDeployment({ params: params(), body: { pin: version } })
/** As the engine leaves it: on its target, or with its reason. */
async function stand(code = 'RUNNING', rests = true) {
  const { id, target, state, requested_generation: generation } = await row()
  const stable = rests ? target : (state?.stable ?? null)
  const history = state?.stable && rests ? [state.stable, ...(state.history ?? [])] : (state?.history ?? [])
  const next = {
    version: 1,
    phase: stable ? 'running' : 'pending',
    reason: { code, message: `It is ${code}`, since: manager.clock.now() },
    generation,
    stable,
    candidate: null,
    rejected: [],
    sequence: 0,
    resources: {},
    workers: {},
    conditions: [],
    seenControls: [],
    history,
  }
  await manager.db
    .updateTable('deployments')
    .set({ state: JSON.stringify(next), observed_generation: generation })
    .where('id', '=', id)
    .execute()
}
/** 1.0.0 runs, 1.1.0 was told. */
async function waiting(settings: Partial<CustomerSettings> = { updates: 'approval' }, model?: 'pull') {
  await publish('1.0.0', 1)
  await deploy(settings, model ? { model } : {})
  await tell('1.0.0')
  await stand()
  await publish('1.1.0', 2)
  await tell('1.1.0')
  await stand('WAITS_FOR_APPROVAL', false)
  return (await row()).target?.digest ?? ''
}
async function refusal(promise: Promise<unknown>): Promise<LandfallError> {
  try {
    await promise
  } catch (error) {
    if (LandfallError.is(error)) return error
    throw error
  }
  throw new Error('it was taken')
}
const code = async (promise: Promise<unknown>) => (await refusal(promise)).code
const audit = async (type: string) =>
  manager.db
    .selectFrom('audit_entries')
    .selectAll()
    .where('chain', '=', (await row()).id)
    .where('type', '=', type)
    .orderBy('number')
    .execute()

describe('a portal link', () => {
  it('is shown once, kept as a hash, and names where it leads', async () => {
    await deploy()
    const { url, token, expiresAt } = await admin.createPortalLink({ params: params(), body: { name: 'ann', days: 7 } })
    expect(url).toBe(`${testUrl}/portal#token=${token}&project=${project}&deployment=eu`)
    expect(Date.parse(expiresAt)).toBe(manager.clock.now() + 7 * day)
    const stored = JSON.stringify(await manager.db.selectFrom('tokens').selectAll().execute())
    expect(stored).not.toContain(token)
    const [, made] = await audit('portal.link-made')
    expect(made?.message).toContain('"ann"')
    expect(JSON.stringify(made)).not.toContain(token)
  })

  it('opens its own deployment alone, until it expires or is revoked', async () => {
    await deploy()
    await admin.createDeployment({ params: { project }, body: { name: 'us', platform: 'local' } })
    expect(await code(customer.getPortal({ params: { project, deployment: 'us' } }))).toBe('E_NOT_FOUND')
    const link = await admin.createPortalLink({ params: params(), body: { name: 'short', days: 1 } })
    const visitor = manager.client(link.token)
    expect((await visitor.getPortal({ params: params() })).expiresAt).toBe(link.expiresAt)
    const { items } = await admin.listTokens({ params: { project } })
    const id = items.find(({ name }) => name === 'short')?.id ?? ''
    await admin.revokeToken({ params: { project, id } })
    expect(await code(visitor.getPortal({ params: params() }))).toBe('E_TOKEN_REVOKED')
    const at = new Date(manager.clock.now())
    const ours = await admin.createPortalLink({ params: params(), body: {} })
    await manager.db.updateTable('tokens').set({ expires_at: at }).where('hash', '=', hashToken(ours.token)).execute()
    expect(await code(manager.client(ours.token).getPortal({ params: params() }))).toBe('E_TOKEN_EXPIRED')
  })

  it('made by a link ends with it at the latest, by time and when it is revoked', async () => {
    await deploy()
    const first = await admin.createPortalLink({ params: params(), body: { name: 'first', days: 2 } })
    const second = await manager.client(first.token).createPortalLink({ params: params(), body: { days: 366 } })
    expect(second.expiresAt).toBe(first.expiresAt)
    const third = await manager.client(second.token).createPortalLink({ params: params(), body: {} })
    const { items } = await admin.listTokens({ params: { project } })
    await admin.revokeToken({ params: { project, id: items.find(({ name }) => name === 'first')?.id ?? '' } })
    for (const { token } of [first, second, third]) {
      expect(await code(manager.client(token).getPortal({ params: params() }))).toBe('E_TOKEN_REVOKED')
    }
    expect((await customer.getPortal({ params: params() })).deployment.name).toBe('eu')
    expect((await audit('token.revoked'))[0]?.message).toContain('and 2 links')
  })
})

describe('a link that is revoked while it makes others', () => {
  it('leaves none behind', async () => {
    await deploy()
    for (let round = 0; round < 5; round++) {
      const name = `round ${round}`
      const first = await admin.createPortalLink({ params: params(), body: { name } })
      const second = await manager.client(first.token).createPortalLink({ params: params(), body: {} })
      const { items } = await admin.listTokens({ params: { project } })
      const id = items.find((one) => one.name === name)?.id ?? ''
      const make = ({ token }: { token: string }) =>
        manager.client(token).createPortalLink({ params: params(), body: {} })
      const made = await Promise.allSettled([
        make(first),
        make(second),
        admin.revokeToken({ params: { project, id } }),
        make(second),
        make(first),
      ])
      for (const one of made) {
        if (one.status === 'rejected') expect(LandfallError.is(one.reason) && one.reason.code).toBe('E_TOKEN_REVOKED')
        else if (one.value) {
          const late = manager.client(one.value.token)
          expect(await code(late.getPortal({ params: params() }))).toBe('E_TOKEN_REVOKED')
        }
      }
    }
  })
})

describe('who speaks for the customer', () => {
  it.each(['viewer', 'developer', 'admin', 'operator', 'ci', 'agent'] as const)('not the vendor’s %s', async (who) => {
    const target = await waiting()
    const token =
      who === 'ci' || who === 'agent'
        ? await manager.machine(who, { project, ...(who === 'agent' ? { deployment: (await row()).id } : {}) })
        : who === 'operator'
          ? (await manager.person(`op${count}`, { operator: true })).token
          : (await manager.person(`${who}-x${count}`, { project, role: who })).token
    const caller = manager.client(token)
    const before = await row()
    const answer = { gate: 'update', target, status: 'pass' as const }
    expect(await code(caller.answerRequest({ params: params(), body: answer }))).toBe('E_FORBIDDEN')
    const open = { updates: 'automatic' as const, access: 'granted' as const }
    expect(await code(caller.changeCustomerSettings({ params: params(), body: open }))).toBe('E_FORBIDDEN')
    expect(await code(caller.leaveVendor({ params: params() }))).toBe('E_FORBIDDEN')
    expect(await row()).toEqual(before)
    const answers = manager.db.selectFrom('answers').selectAll().where('deployment', '=', before.id)
    expect(await answers.execute()).toEqual([])
  })

  it('and a link may do nothing of the vendor’s: no release, no pin, no control, no command, no destroy of others', async () => {
    await waiting()
    const control = { kind: 'promote-full' as const }
    expect(await code(customer.controlDeployment({ params: params(), body: control }))).toBe('E_FORBIDDEN')
    expect(await code(customer.updateDeployment({ params: params(), body: { pin: null } }))).toBe('E_FORBIDDEN')
    expect(await code(customer.destroyDeployment({ params: params() }))).toBe('E_FORBIDDEN')
    const command = { command: 'reindex', input: {} }
    expect(await code(customer.sendCommand({ params: params(), body: command }))).toBe('E_FORBIDDEN')
    expect(await code(customer.cancelCommand({ params: { ...params(), command: 'cmd_x' } }))).toBe('E_FORBIDDEN')
  })
})

describe('the page', () => {
  it('says what runs, what is asked with its difference, what it may do, and how to leave', async () => {
    const target = await waiting()
    const page = await customer.getPortal({ params: params() })
    expect(page).toMatchObject({
      vendor: { project },
      deployment: { name: 'eu', model: 'push', platform: 'local', reason: { code: 'WAITS_FOR_APPROVAL' } },
      sentence: '1.0.0 runs. Release 1.1.0 waits for your approval.',
      running: { version: '1.0.0' },
      arriving: null,
      settings: { updates: 'approval', access: 'granted' },
      local: [],
      windows: { open: true, changesAt: null },
      answers: [],
    })
    expect(page.requests).toMatchObject([
      { kind: 'update', gate: 'update', target, version: '1.1.0', answerable: true },
    ])
    expect(page.requests[0]?.difference.map(({ area }) => area)).toContain('artifacts')
    const uploads = page.permissions.filter(({ resource }) => resource === 'uploads')
    expect(uploads).toEqual([
      {
        resource: 'uploads',
        lifecycle: 'frozen',
        action: 'made at setup, then only watched',
        reason: 'It holds files.',
      },
      { resource: 'uploads', lifecycle: 'frozen', action: 'read by api', reason: 'api reads what is in it.' },
    ])
    expect(page.permissions).toContainEqual(expect.objectContaining({ resource: 'stripe-key', action: 'read by api' }))
    expect(page.permissions).toContainEqual(
      expect.objectContaining({ resource: 'api', action: 'reachable by the public' }),
    )
    expect(page.leave.join(' ')).toContain('landfall-access')
  })

  it('tells a change of config apart: names of secrets, never values', async () => {
    await waiting()
    const answer = { target: (await row()).target?.digest ?? '', status: 'pass' as const }
    await customer.answerRequest({ params: params(), body: answer })
    await stand()
    const body = { inputs: { seats: 9 }, secrets: { 'stripe-key': 'sk_live_hunter2' } }
    await admin.putConfig({ params: params(), body })
    await stand('WAITS_FOR_APPROVAL', false)
    const page = await customer.getPortal({ params: params() })
    const [request] = page.requests
    expect(request?.message).toBe('A change of the config of 1.1.0 waits for your approval.')
    expect(request?.difference).toEqual([
      { area: 'config', change: 'the input seats is 9; it was 5' },
      { area: 'config', change: 'the secret stripe-key has a new value' },
    ])
    expect(JSON.stringify(page)).not.toContain('hunter2')
  })

  it('asks for the setup, and for secrets that the customer gives', async () => {
    await publish('1.0.0', 1)
    await admin.createDeployment({ params: { project }, body: { name: 'eu', platform: 'local', setup: false } })
    const { token } = await admin.createPortalLink({ params: params(), body: {} })
    const visitor = manager.client(token)
    const asked = async () => (await visitor.getPortal({ params: params() })).requests.map(({ gate }) => gate)
    expect(await asked()).toEqual(['setup', 'secret:stripe-key'])
    await visitor.putConfig({ params: params(), body: { inputs: {}, secrets: { 'stripe-key': 'sk_1' } } })
    await visitor.setupDeployment({ params: params(), body: { release: '1.0.0' } })
    expect(await asked()).toEqual([])
    await tell('1.0.0')
    await stand()
    await publish('2.0.0', 2, { frozen: 'more' })
    await tell('2.0.0')
    const [request] = (await visitor.getPortal({ params: params() })).requests
    expect(request).toMatchObject({ kind: 'setup', version: '2.0.0' })
    expect(request?.difference[0]?.change).toContain('more')
  })
})

describe('an answer', () => {
  it('is what the vendor is told to have', async () => {
    const target = await waiting()
    const why = () => admin.explainDeployment({ params: params() })
    expect((await why()).checks).toContainEqual(
      expect.objectContaining({ status: 'blocked', code: 'WAITS_FOR_APPROVAL' }),
    )
    expect((await why()).next).toContain('approved by the customer')
    await customer.answerRequest({ params: params(), body: { target, status: 'fail' } })
    await stand('UPDATE_REFUSED', false)
    expect((await why()).next).toContain('Ask the customer why')
  })

  it('is kept for its target, audited, and wakes the runner; the same again is the first one', async () => {
    const target = await waiting()
    const { requested_generation: before } = await row()
    const body = { target, status: 'pass' as const, message: 'go on' }
    const first = await customer.answerRequest({ params: params(), body })
    expect(first).toMatchObject({ gate: 'update', target, status: 'pass', by: 'deployer:portal', where: 'portal' })
    expect((await row()).requested_generation).toBe(before + 1)
    expect(await customer.answerRequest({ params: params(), body })).toEqual(first)
    expect((await row()).requested_generation).toBe(before + 1)
    const entries = await audit('answer.approved')
    expect(entries).toHaveLength(1)
    expect(entries[0]).toMatchObject({ actor: 'deployer:portal', message: 'The update to 1.1.0 was approved: go on.' })
    const page = await customer.getPortal({ params: params() })
    expect(page.requests).toEqual([])
    expect(page.answers).toEqual([first])
  })

  it('may be changed: the later one counts, also at the same instant', async () => {
    const target = await waiting()
    await customer.answerRequest({ params: params(), body: { target, status: 'fail', message: 'not now' } })
    expect((await audit('answer.refused'))[0]?.message).toBe('The update to 1.1.0 was refused: not now.')
    await customer.answerRequest({ params: params(), body: { target, status: 'pass' } })
    const rows = await manager.db.selectFrom('answers').selectAll().where('target', '=', target).orderBy('at').execute()
    expect(rows.map(({ status }) => status)).toEqual(['fail', 'pass'])
    expect(rows[1]?.at.getTime()).toBeGreaterThan(rows[0]?.at.getTime() ?? 0)
  })

  it('for another target than the one that is asked now is refused, with what is asked', async () => {
    const old = await waiting()
    await publish('1.2.0', 3)
    await tell('1.2.0')
    const now = (await row()).target?.digest
    const { requested_generation: before } = await row()
    const error = await refusal(customer.answerRequest({ params: params(), body: { target: old, status: 'pass' } }))
    expect(error).toMatchObject({ code: 'E_TARGET_CHANGED' })
    expect(error.message).toContain(`1.2.0 (target ${now})`)
    const gate = { gate: 'api/step-0.0.approval', target: now ?? '', status: 'pass' as const }
    expect(await code(customer.answerRequest({ params: params(), body: gate }))).toBe('E_TARGET_CHANGED')
    expect((await row()).requested_generation).toBe(before)
    await stand()
    const late = { target: now ?? '', status: 'fail' as const }
    expect((await refusal(customer.answerRequest({ params: params(), body: late }))).message).toContain(
      'Nothing is asked',
    )
  })

  it('races a new target: it is kept for the old one or refused, never taken for the new', async () => {
    const target = await waiting()
    await publish('1.2.0', 3)
    const [answered] = await Promise.allSettled([
      customer.answerRequest({ params: params(), body: { target, status: 'pass' } }),
      tell('1.2.0'),
    ])
    const rows = await manager.db
      .selectFrom('answers')
      .selectAll()
      .where('deployment', '=', (await row()).id)
      .execute()
    expect(rows.map((one) => one.target)).toEqual(answered.status === 'fulfilled' ? [target] : [])
  })

  it('counts at the agent alone where the customer says so', async () => {
    const target = await waiting({ updates: 'approval', approvals: 'agent' }, 'pull')
    const page = await customer.getPortal({ params: params() })
    expect(page.requests[0]).toMatchObject({ kind: 'update', answerable: false })
    const body = { target, status: 'pass' as const }
    expect(await code(customer.answerRequest({ params: params(), body }))).toBe('E_APPROVAL_AT_AGENT')
  })
})

describe('the customer’s settings', () => {
  it('change what is named alone, are audited, and wake the runner', async () => {
    const windows = [{ rrule: 'FREQ=DAILY', start: '2026-01-01T02:00', duration: '2h', timeZone: 'Europe/Berlin' }]
    await waiting({ updates: 'approval', windows, telemetry: 'off' })
    const { requested_generation: before } = await row()
    const next = await customer.changeCustomerSettings({ params: params(), body: { updates: 'paused' } })
    expect(next).toMatchObject({ updates: 'paused', windows, telemetry: 'off', access: 'granted' })
    expect((await row()).customer).toEqual(next)
    expect((await row()).requested_generation).toBe(before + 1)
    await customer.changeCustomerSettings({ params: params(), body: { updates: 'paused' } })
    expect((await row()).requested_generation).toBe(before + 1)
    expect(await audit('customer.changed')).toMatchObject([
      {
        actor: 'deployer:portal',
        message: 'The customer changed updates to paused.',
        data: { before: { updates: 'approval' }, after: { updates: 'paused' } },
      },
    ])
    const page = await customer.getPortal({ params: params() })
    expect(page.windows.changesAt).not.toBeNull()
  })

  it('refuse windows that cannot be, here and where a deployment is made', async () => {
    await deploy()
    const base = { start: '2026-01-01T02:00', duration: '2h', timeZone: 'Europe/Berlin' }
    const windows = [{ ...base, rrule: 'FREQ=SECONDLY' }]
    expect(await code(customer.changeCustomerSettings({ params: params(), body: { windows } }))).toBe(
      'E_WINDOW_INVALID',
    )
    const body = { name: 'us', platform: 'local' as const, customer: { windows } }
    expect(await code(admin.createDeployment({ params: { project }, body }))).toBe('E_WINDOW_INVALID')
    const agent = { approvals: 'agent' as const }
    expect(await code(customer.changeCustomerSettings({ params: params(), body: agent }))).toBe('E_APPROVAL_AT_AGENT')
  })

  it('that were set at the agent win, and are not changed here', async () => {
    await waiting({}, 'pull')
    const { id } = await row()
    await manager.db.deleteFrom('agents').where('deployment', '=', id).execute()
    await manager.db
      .insertInto('agents')
      .values({
        deployment: id,
        audit_hash: 'x',
        customer: JSON.stringify(customerSettings.parse({ updates: 'paused', telemetry: 'off' })),
        local: JSON.stringify(['updates']),
      })
      .execute()
    const page = await customer.getPortal({ params: params() })
    expect(page).toMatchObject({ local: ['updates'], settings: { updates: 'paused', telemetry: 'on' } })
    const locked = { updates: 'automatic' as const, telemetry: 'off' as const }
    const error = await refusal(customer.changeCustomerSettings({ params: params(), body: locked }))
    expect(error).toMatchObject({ code: 'E_SETTING_AT_AGENT' })
    expect(error.message).toContain('updates')
    const next = await customer.changeCustomerSettings({ params: params(), body: { telemetry: 'errors-only' } })
    expect(next).toMatchObject({ updates: 'paused', telemetry: 'errors-only' })
  })

  it('of telemetry are what the intake goes by', async () => {
    await deploy()
    const { id } = await row()
    const senders = new Senders(manager.db, manager.clock)
    expect((await senders.find(id))?.telemetry).toBe('on')
    await customer.changeCustomerSettings({ params: params(), body: { telemetry: 'off' } })
    manager.clock.advance(5_001)
    expect((await senders.find(id))?.telemetry).toBe('off')
  })
})

describe('revoked access', () => {
  const queue = async () => {
    const { id } = await row()
    const order = {
      project,
      deployment: id,
      worker: 'api',
      version: null,
      command: 'reindex',
      input: {},
      deadline: manager.clock.now() + day,
      by: 'ada',
      idempotencyKey: null,
      at: manager.clock.now(),
    }
    return manager.db.transaction().execute((trx) => queueCommand(trx, manager.services.keyring, order))
  }
  const scope = { models: ['push'], platforms: ['local'] } as const
  const claim = () =>
    claimCommand(manager.db, manager.services.keyring, scope, { owner: 'm', ttlMs: 60_000, now: manager.clock.now() })
  const status = async (id: string) =>
    manager.db.selectFrom('commands').select(['status', 'cancel_requested_at']).where('id', '=', id).executeTakeFirst()

  it('stops commands: running ones are cancelled, waiting ones wait, new ones are refused', async () => {
    await manager.db.deleteFrom('commands').execute()
    await waiting({})
    const running = await queue()
    expect((await claim())?.id).toBe(running)
    const queued = await queue()
    await customer.changeCustomerSettings({ params: params(), body: { access: 'revoked' } })
    expect((await status(running))?.cancel_requested_at).not.toBeNull()
    expect(await claim()).toBeNull()
    expect(await status(queued)).toMatchObject({ status: 'queued', cancel_requested_at: null })
    await stand('REVOKED_BY_CUSTOMER', false)
    await manager.db
      .updateTable('deployments')
      .set({
        state: sql`state || '{"phase": "access-revoked", "parked": {"since": 1, "probeAt": null}}'::jsonb`,
      })
      .where('id', '=', (await row()).id)
      .execute()
    const why = await admin.explainDeployment({ params: params() })
    expect(why.checks).toContainEqual(expect.objectContaining({ status: 'blocked', code: 'REVOKED_BY_CUSTOMER' }))
    expect(why.next).toContain('Ask the customer to grant access')
    const command = { command: 'reindex', input: {} }
    expect(await code(admin.sendCommand({ params: params(), body: command }))).toBe('E_ACCESS_REVOKED')
    expect((await customer.getPortal({ params: params() })).sentence).toContain('You have revoked access')
    await customer.changeCustomerSettings({ params: params(), body: { access: 'granted' } })
    expect((await claim())?.id).toBe(queued)
  })

  it('hands an agent none either, until it is granted', async () => {
    await waiting({}, 'pull')
    const { id: deployment } = await row()
    const queued = await queue()
    const handover = createCommandHandover(manager.services.keyring, manager.clock)
    const count = async () => (await handover.waiting(manager.db, [deployment])).get(deployment)?.queued
    const take = () => handover.takeCommands(manager.db, { deployment, room: 5, session: 1, at: manager.clock.now() })
    await customer.changeCustomerSettings({ params: params(), body: { access: 'revoked' } })
    expect([await count(), await take()]).toEqual([0, []])
    await customer.changeCustomerSettings({ params: params(), body: { access: 'granted' } })
    expect(await count()).toBe(1)
    expect((await take()).map(({ id }) => id)).toEqual([queued])
  })

  it('lets a leaving wait, and says so', async () => {
    await waiting({})
    await customer.changeCustomerSettings({ params: params(), body: { access: 'revoked' } })
    await customer.leaveVendor({ params: params() })
    expect((await audit('customer.left'))[0]?.message).toContain('waits until access is granted again')
    expect((await customer.getPortal({ params: params() })).sentence).toContain('grant it once more')
  })
})

describe('leaving', () => {
  it('destroys the deployment, once', async () => {
    const target = await waiting()
    const { requested_generation: before } = await row()
    await customer.leaveVendor({ params: params() })
    await customer.leaveVendor({ params: params() })
    expect(await row()).toMatchObject({ operation: 'destroy', requested_generation: before + 1 })
    expect(await audit('customer.left')).toHaveLength(1)
    expect((await customer.getPortal({ params: params() })).requests).toEqual([])
    expect(await code(customer.answerRequest({ params: params(), body: { target, status: 'pass' } }))).toBe(
      'E_TARGET_CHANGED',
    )
  })

  it('every act publishes a change for the pages', async () => {
    const target = await waiting()
    const changes = async () =>
      (
        await sql<{ count: number }>`select count(*)::int as count from changes where project = ${project}`.execute(
          manager.db,
        )
      ).rows[0]?.count ?? 0
    let before = await changes()
    const acts = [
      () => customer.answerRequest({ params: params(), body: { target, status: 'pass' } }),
      () => customer.changeCustomerSettings({ params: params(), body: { telemetry: 'off' } }),
      () => customer.leaveVendor({ params: params() }),
    ]
    for (const act of acts) {
      await act()
      expect(await changes()).toBe(before + 1)
      before += 1
    }
  })
})
