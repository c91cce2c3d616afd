import type { UpdateObject } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { lockAgent } from '../../exports/lock-agent.ts'
import type { Schema, Trx } from '../../store/database.ts'
import { startTestServer, type TestServer } from '../../testing/database.ts'
import { overtaken } from '../../testing/overtaken.ts'
import { codeOf, createWorld, type World } from './world.ts'

let server: TestServer
let world: World
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  world = await createWorld(server)
})

const row = (deployment: string) =>
  world.manager.db.selectFrom('agents').selectAll().where('deployment', '=', deployment).executeTakeFirstOrThrow()
/** What another manager has written of the agent and is about to commit. */
const elsewhere = (deployment: string, set: UpdateObject<Schema, 'agents'>) => (trx: Trx) =>
  trx.updateTable('agents').set(set).where('deployment', '=', deployment).execute()

describe('while another manager has the agent in hand,', () => {
  it('no session begins that names the one before', async () => {
    const agent = await world.running('session')
    const { session } = await row(agent.deployment)
    const begun = { session: session + 1, named: session + 1, named_before: session, nonce: 'n'.repeat(32) }
    const code = await overtaken(world.manager.db, elsewhere(agent.deployment, begun), () => codeOf(agent.begin()))
    expect(code).toBe('E_AGENT_CLONED')
    expect(await row(agent.deployment)).toMatchObject(begun)
  })

  it('no other keys are bound', async () => {
    await world.create('keys')
    const agent = await world.agent('keys')
    const bound = { sign_key: 'sign of another', seal_key: 'seal of another', key_id: 'another' }
    const code = await overtaken(world.manager.db, elsewhere(agent.deployment, bound), () => codeOf(agent.enrol()))
    expect(code).toBe('E_AGENT_ENROLLED')
    expect(await row(agent.deployment)).toMatchObject(bound)
  })

  it('no report is taken that is older than the one there', async () => {
    const agent = await world.running('report')
    const report = agent.report({ audit: agent.happened({ type: 'test.late', message: 'late' }) })
    const newer = { report_number: report.number + 1 }
    const taken = await overtaken(world.manager.db, elsewhere(agent.deployment, newer), () =>
      world.manager.services.agents.takeReport(agent.deployment, report, 'sync'),
    )
    expect(taken).toMatchObject({ taken: false, reported: report.number + 1 })
    expect(await row(agent.deployment)).toMatchObject(newer)
    expect((await world.audit('report')).filter(({ type }) => type === 'test.late')).toEqual([])
  })

  it('an export is held against what that one has taken', async () => {
    const agent = await world.running('export')
    const { key_id } = await row(agent.deployment)
    const taken = { export_key: key_id, export_number: 7, export_id: 'seventh' }
    const { db } = world.manager
    const seen = await overtaken(db, elsewhere(agent.deployment, taken), () =>
      db.transaction().execute((trx) => lockAgent(trx, agent.deployment, key_id ?? '')),
    )
    expect(seen).toEqual(taken)
  })
})

it('an export of an agent that was replaced meanwhile is refused', async () => {
  const agent = await world.running('replaced')
  const { key_id } = await row(agent.deployment)
  const other = `${key_id?.slice(0, -1)}${key_id?.endsWith('0') ? '1' : '0'}`
  const { db } = world.manager
  const lock = db.transaction().execute((trx) => lockAgent(trx, agent.deployment, other))
  expect(await codeOf(lock)).toBe('E_AGENT_NOT_ENROLLED')
})

it('a report of a session that is over is not taken, where the manager has not heard of the agent since', async () => {
  const agent = await world.running('over')
  await agent.copy().begin()
  const report = agent.report({ audit: agent.happened({ type: 'test.late', message: 'late' }) })
  expect(await codeOf(agent.sync({ report }))).toBe('E_SESSION_ENDED')
  expect((await row(agent.deployment)).report_number).toBe(0)
})
