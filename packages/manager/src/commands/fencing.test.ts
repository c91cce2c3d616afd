import { randomBytes } from 'node:crypto'
import type { CommandUpdate } from '@landfall/contract'
import type { CommandStore, HeldCommand } from '@landfall/engine'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { seedDeployment, seedProject } from '../control/testing/seed.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { Database } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { overtaken } from '../testing/overtaken.ts'
import { createCommandHandover } from './agent-handover.ts'
import { claimCommand } from './claim-command.ts'
import { createCommandStore } from './command-store.ts'
import { finishCommand } from './finish-command.ts'
import { queueCommand } from './queue-command.ts'
import { readOutput } from './read-output.ts'

let server: TestServer
let db: Database
let keyring: Keyring
let store: CommandStore
let now = 0
const ttl = 10_000
const scope = { models: ['push'], platforms: ['local'] } as const
const done = { status: 'succeeded', result: 'late' } as const

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  now = Date.UTC(2026, 10, 21)
  db = (await server.database()).db
  keyring = await openKeyring(db, localMasterKey(randomBytes(32)), now)
  store = createCommandStore({ db, keyring, scope })
  await seedProject(db, 'shop')
  await seedDeployment(db, { id: 'd1', project: 'shop' })
  await seedDeployment(db, { id: 'd2', project: 'shop', model: 'pull' })
})

const queue = (deployment = 'd1') =>
  db.transaction().execute((trx) =>
    queueCommand(trx, keyring, {
      ...{ project: 'shop', deployment, worker: 'api', version: null, command: 'reindex', input: null },
      ...{ deadline: now + 600_000, by: 'ada', idempotencyKey: null, at: now },
    }),
  )
const row = (id: string) => db.selectFrom('commands').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
async function claimed(owner: string): Promise<HeldCommand> {
  return (await store.claim(owner, ttl, now)) ?? expect.fail(`nothing was due for ${owner}`)
}
const piece = (number: number, chunk: string) => ({ number, at: now, chunk })

/** All that a holder may do, each refused without a trace. */
async function isRefusedAll(held: HeldCommand): Promise<void> {
  const before = await row(held.id)
  expect(await store.renew(held, now + ttl)).toMatchObject({ ours: false })
  expect(await store.output(held, piece(1, 'late'))).toBe(false)
  expect(await store.postpone(held, now)).toBe(false)
  expect(await store.finish(held, done, now)).toBe(false)
  expect(await row(held.id)).toEqual(before)
  expect(await readOutput(db, keyring, 'd1', held.id)).toBe('')
}

describe('a command', () => {
  it('that was taken up again is not that of its earlier attempt, also where the same manager has both', async () => {
    await queue()
    const first = await claimed('m1')
    now += ttl
    const second = await claimed('m1')
    expect(second).toMatchObject({ attempt: 2, epoch: first.epoch + 1 })
    await isRefusedAll(first)
  })

  it('that was given back is nobody’s', async () => {
    await queue()
    const held = await claimed('m1')
    expect(await store.postpone(held, now + 1_000)).toBe(true)
    await isRefusedAll(held)
  })

  it('is given to nobody else while its lease is good', async () => {
    await queue()
    await claimed('m1')
    now += ttl - 1
    expect(await store.claim('m2', ttl, now)).toBeNull()
  })

  it('is given once where two claim at the same moment', async () => {
    const id = await queue()
    const late = await overtaken(
      db,
      (trx) => claimCommand(trx, keyring, scope, { owner: 'm1', ttlMs: ttl, now }),
      () => store.claim('m2', ttl, now),
    )
    expect(late).toBeNull()
    expect(await row(id)).toMatchObject({ attempt: 1, lease_owner: 'm1' })
  })

  it.each([
    ['end', (held: HeldCommand) => finishCommand(db, keyring, held, done, now)],
    ['output', (held: HeldCommand) => store.output(held, piece(1, 'late'))],
  ])('takes no %s of a holder that loses it at the same moment', async (_, write) => {
    const id = await queue()
    const held = await claimed('m1')
    now += ttl
    const accepted = await overtaken(
      db,
      (trx) => claimCommand(trx, keyring, scope, { owner: 'm2', ttlMs: ttl, now }),
      () => write(held),
    )
    expect(accepted).toBe(false)
    expect(await row(id)).toMatchObject({ status: 'running', attempt: 2 })
    expect(await readOutput(db, keyring, 'd1', id)).toBe('')
  })

  it('keeps a piece of output as it was first said', async () => {
    const id = await queue()
    const held = await claimed('m1')
    await store.output(held, piece(1, 'first'))
    await store.output(held, piece(1, 'again'))
    expect(await readOutput(db, keyring, 'd1', id)).toBe('first')
  })
})

describe('a command of an agent', () => {
  const handover = () => createCommandHandover(keyring, { now: () => now })
  const take = (on: Database) => handover().takeCommands(on, { deployment: 'd2', room: 5, session: 1, at: now })

  it('is given once where it syncs twice at the same moment', async () => {
    const id = await queue('d2')
    const late = await overtaken(
      db,
      (trx) => take(trx),
      () => take(db),
    )
    expect(late).toEqual([])
    expect((await row(id)).attempt).toBe(1)
  })

  it('ends once where two tell its end at the same moment', async () => {
    const id = await queue('d2')
    await take(db)
    const told = (code: string): CommandUpdate => ({
      ...{ id, attempt: 1, startedAt: now, finishedAt: now, result: null, output: [] },
      ...{ status: 'failed', error: { code, message: code } },
    })
    const tell = (code: string) => ({ deployment: 'd2', updates: [told(code)], at: now })
    await overtaken(
      db,
      (trx) => handover().acceptUpdates(trx, tell('E_FIRST')),
      () => db.transaction().execute((trx) => handover().acceptUpdates(trx, tell('E_SECOND'))),
    )
    expect(await row(id)).toMatchObject({ status: 'failed', error: { code: 'E_FIRST' } })
  })
})
