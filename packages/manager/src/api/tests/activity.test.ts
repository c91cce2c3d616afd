import { initialState } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { advanceRollout } from '../../control/fleet/advance-rollout.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { createTestManager, type TestManager } from '../../testing/manager.ts'

let server: TestServer
let manager: TestManager
let vendor: Awaited<ReturnType<TestManager['project']>>
let project = ''
let ci: ReturnType<TestManager['client']>
let admin: ReturnType<TestManager['client']>
let count = 0

beforeAll(async () => {
  server = await startTestServer()
  manager = await createTestManager(server)
})
beforeEach(async () => {
  project = `acme${count++}`
  vendor = await manager.project(project)
  ci = manager.client(await manager.machine('ci', { project }))
  admin = manager.client((await manager.person(`boss${count}`, { project, role: 'admin' })).token)
})
afterAll(() => server.stop())

async function publish(version: string, sequence: number) {
  const release = await vendor.release({ version, sequence })
  await ci.putBlob({ params: { project, digest: release.digest }, body: release.blob })
  return ci.createRelease({ params: { project }, body: { envelope: release.envelope } })
}
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (LandfallError.is(error) ? error.code : String(error)),
  )
const deploy = (name: string) =>
  admin.createDeployment({
    params: { project },
    body: { name, platform: 'local', secrets: { 'stripe-key': 'hunter2' } },
  })

describe('rollouts', () => {
  it('are listed, shown with their members, and controlled', async () => {
    await deploy('eu')
    const first = (await publish('1.0.0', 1)).rollout ?? ''
    const params = { project, rollout: first }
    expect((await admin.listRollouts({ params: { project } })).items.map((each) => each.id)).toEqual([first])
    const paused = await admin.controlRollout({ params, body: { kind: 'pause', reason: 'lunch' } })
    expect(paused.id).toBe(first)
    while ((await advanceRollout(manager.db, manager.clock.now())) !== null);
    const shown = await admin.getRollout({ params })
    expect(shown).toMatchObject({ version: '1.0.0', phase: 'paused', waves: [{ name: 'all', total: 1 }] })
    expect(shown.members).toMatchObject([{ name: 'eu', fromVersion: null }])
    expect(shown.sentence).toContain('1.0.0 to stable')
    const second = (await publish('1.1.0', 2)).rollout
    expect((await admin.getRollout({ params })).phase).toBe('superseded')
    const active = await admin.listRollouts({ params: { project }, query: { active: 'true' } })
    expect(active.items.map((each) => each.id)).toEqual([second])
    expect(await code(admin.controlRollout({ params, body: { kind: 'resume' } }))).toBe('E_CONFLICT')
    const again = await admin.createRollout({ params: { project }, body: { release: '1.1.0' } })
    expect(again.id).toBe(second)
    expect(await code(admin.getRollout({ params: { project, rollout: 'rol_none' } }))).toBe('E_NOT_FOUND')
    const audit = await admin.listAudit({ params: { project }, query: { type: 'rollout' } })
    expect(audit.items.map((entry) => entry.type)).toContain('rollout.control.pause')
  })
})

describe('an aborted rollout', () => {
  it('is not begun again over a newer one', async () => {
    const first = (await publish('1.0.0', 1)).rollout ?? ''
    const params = { project, rollout: first }
    await admin.controlRollout({ params, body: { kind: 'abort' } })
    while ((await advanceRollout(manager.db, manager.clock.now())) !== null);
    expect((await admin.getRollout({ params })).phase).toBe('aborted')
    await publish('1.1.0', 2)
    for (const kind of ['retry', 'promote-full'] as const) {
      expect(await code(admin.controlRollout({ params, body: { kind } }))).toBe('E_CONFLICT')
    }
    const again = await admin.createRollout({ params: { project }, body: { release: '1.0.0' } })
    expect(again.id).not.toBe(first)
  })
})

describe('commands', () => {
  it('need a release that runs and knows them', async () => {
    const { id } = await deploy('eu')
    const params = { project, deployment: 'eu' }
    const send = () => admin.sendCommand({ params, body: { command: 'nothing' } })
    expect(await code(send())).toBe('E_CONFLICT')
    const { release } = await publish('1.0.0', 1)
    const stable = { digest: 'sha256:t', release: release.digest, config: 'sha256:c' }
    const state = JSON.stringify({ ...initialState(0), stable, phase: 'running' })
    await manager.db.updateTable('deployments').set({ state }).where('id', '=', id).execute()
    expect(await code(send())).toBe('E_COMMAND_UNKNOWN')
    expect((await admin.listCommands({ params })).items).toEqual([])
    expect(await code(admin.getCommand({ params: { ...params, command: 'cmd_none' } }))).toBe('E_NOT_FOUND')
  })
})

describe('telemetry', () => {
  it('is taken from the token of a deployment, and read by people', async () => {
    const { id } = await deploy('eu')
    const token = await manager.machine('agent', { project, deployment: id })
    const line = { timeUnixNano: `${manager.clock.now()}000000`, severityNumber: 17, body: { stringValue: 'boom' } }
    const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [line] }] }] })
    const headers = { 'content-type': 'application/json' }
    const taken = await manager.call('POST', '/v1/logs', { token, body, headers })
    expect([taken.status, await taken.json()]).toEqual([200, {}])
    const logs = await admin.getLogs({ params: { project, deployment: 'eu' } })
    expect(logs.items).toMatchObject([{ body: 'boom', severity: 'error' }])
    expect((await admin.getMetrics({ params: { project, deployment: 'eu' } })).series).toEqual([])
    const statuses = await Promise.all([
      manager.call('POST', '/v1/logs', { token, body: 'nonsense', headers }),
      manager.call('POST', '/v1/logs', { token, body, headers: { 'content-type': 'text/plain' } }),
      manager.call('POST', '/v1/logs', { body, headers }),
      manager.call('POST', '/v1/logs', { token: await manager.machine('ci', { project }), body, headers }),
    ])
    expect(statuses.map((answer) => answer.status)).toEqual([400, 415, 401, 403])
  })

  it('settings show no header value', async () => {
    const forward = [{ url: 'https://otlp.example.com', headers: { 'api-key': 'hunter2' } }]
    const masked = { forward: [{ url: 'https://otlp.example.com', headers: { 'api-key': '***' } }], retentionDays: 30 }
    expect(await admin.putTelemetrySettings({ params: { project }, body: { forward, retentionDays: 30 } })).toEqual(
      masked,
    )
    expect(await admin.getTelemetrySettings({ params: { project } })).toEqual(masked)
  })
})

describe('audit', () => {
  it('is listed per deployment and verified', async () => {
    await deploy('eu')
    const params = { project, deployment: 'eu' }
    const { items } = await admin.listDeploymentAudit({ params })
    expect(items.length).toBeGreaterThan(0)
    expect(await admin.verifyAudit({ params })).toMatchObject({ ok: true, entries: items.length, head: items[0]?.hash })
  })
})

describe('changes', () => {
  it('come as an event stream', async () => {
    const { token } = await manager.person(`viewer${count}`, { project })
    const answer = await manager.call('GET', `/api/projects/${project}/changes`, { token })
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    const reader = answer.body?.getReader()
    const first = new TextDecoder().decode((await reader?.read())?.value)
    expect(first).toContain('"kind":"hello"')
    await reader?.cancel()
  })
})
