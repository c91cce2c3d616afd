import { randomBytes } from 'node:crypto'
import type { CommandUpdate } from '@landfall/contract'
import { commandLimits, type DeploymentRef, type Invoker, runAttempt } from '@landfall/engine'
import { customerSettings } from '@landfall/stack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
// The agent's own queue: what it says is what is taken in here.
import { CommandQueue } from '../../../agent/src/commands/command-queue.ts'
import { updatesOf, updatesTaken } from '../../../agent/src/commands/command-updates.ts'
import { AgentState } from '../../../agent/src/state/agent-state.ts'
import { handClock, newKey, scratch } from '../../../agent/src/testing/scratch.ts'
import type { CommandHandover } from '../agents/command-handover.ts'
import { replyKey } from '../agents/reply-key.ts'
import { commandView } from '../api/views/command-view.ts'
import { seedDeployment, seedProject } from '../control/testing/seed.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { Database } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { createCommandHandover } from './agent-handover.ts'
import { cancelCommand } from './cancel-command.ts'
import { createCommandStore } from './command-store.ts'
import { queueCommand } from './queue-command.ts'
import { readOutput } from './read-output.ts'
import { sweepCommands } from './sweep-commands.ts'

const files = scratch()
let server: TestServer
let db: Database
let keyring: Keyring
let clock: ReturnType<typeof handClock>
let handover: CommandHandover

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(async () => {
  await server.stop()
  files.remove()
})
beforeEach(async () => {
  db = (await server.database()).db
  clock = handClock()
  keyring = await openKeyring(db, localMasterKey(randomBytes(32)), clock.now())
  handover = createCommandHandover(keyring, clock)
  await seedProject(db, 'shop')
  await seedDeployment(db, { id: 'd1', project: 'shop', model: 'pull' })
})

const queue = (deployment = 'd1') =>
  db.transaction().execute((trx) =>
    queueCommand(trx, keyring, {
      ...{ project: 'shop', deployment, worker: 'api', version: null, command: 'reindex', input: { from: 1 } },
      ...{ deadline: clock.now() + 600_000, by: 'ada', idempotencyKey: null, at: clock.now() },
    }),
  )
async function view(id: string, deployment = 'd1') {
  const row = await db
    .selectFrom('commands')
    .selectAll()
    .where('deployment', '=', deployment)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return commandView(row, keyring, await readOutput(db, keyring, deployment, id))
}
const audit = async () =>
  (await db.selectFrom('audit_entries').select('type').orderBy('number').execute()).map((entry) => entry.type)
const accept = (updates: readonly CommandUpdate[]) =>
  db.transaction().execute((trx) => handover.acceptUpdates(trx, { deployment: 'd1', updates, at: clock.now() }))

const ref: DeploymentRef = {
  id: 'd1',
  name: 'd1',
  project: 'shop',
  prefix: 'd1',
  platform: 'local',
  model: 'pull',
  environment: {},
}
/** An agent of d1 as sync sees it; each `sync` reports first and takes then, as the hub does. */
function agent(session = 1) {
  const state = AgentState.open(files.path(), newKey())
  const commands = new CommandQueue({
    ...{ state, clock, replyKey: replyKey(keyring).publicKey, note: () => {} },
    deployment: () => ref,
  })
  const report = async () => {
    const updates = updatesOf(commands.records)
    await accept(updates)
    updatesTaken(commands.records, updates)
    return updates
  }
  const sync = async (room = 4) => {
    await report()
    for (const id of (await handover.waiting(db, ['d1'])).get('d1')?.cancel ?? []) commands.cancel(id)
    const orders = await handover.takeCommands(db, { deployment: 'd1', room, session, at: clock.now() })
    for (const order of orders) commands.add(order)
    return orders
  }
  const run = async (invoke: Invoker['invoke']) => {
    const held = await commands.claim('agent', 15_000, clock.now())
    if (!held) return expect.fail('nothing is due at the agent')
    await attempt(commands, held, invoke)
  }
  return { commands, report, sync, run }
}
const attempt = (
  port: Parameters<typeof runAttempt>[0]['port'],
  held: Parameters<typeof runAttempt>[1],
  invoke: Invoker['invoke'],
) =>
  runAttempt(
    {
      ...{ port, invokerOf: () => ({ invoke }), check: async () => {}, leaseMs: 15_000, onChange: () => {} },
      clock: {
        now: clock.now,
        sleep: (_ms, signal) => new Promise((done) => signal?.addEventListener('abort', () => done())),
      },
      random: { next: () => 0 },
      log: { info: () => {}, warn: (message, fields) => expect.fail(`${message} ${JSON.stringify(fields)}`) },
    },
    held,
    new AbortController().signal,
  )
const works: Invoker['invoke'] = async (_, call, onOutput) => {
  onOutput('looking\n')
  onOutput('found\n')
  return { ok: true, output: { of: call.input } }
}

describe('a command of a deployment that an agent runs', () => {
  it('looks the same as one that a manager runs: status, attempts, output, result', async () => {
    await seedDeployment(db, { id: 'd2', project: 'shop' })
    const [pulled, pushed] = [await queue(), await queue('d2')]
    const store = createCommandStore({ db, keyring, scope: { models: ['push'], platforms: ['local'] } })
    const held = await store.claim('m', 15_000, clock.now())
    if (held?.id !== pushed) return expect.fail('the manager took another one')
    await attempt(store, held, works)
    const site = agent()
    expect((await handover.waiting(db, ['d1', 'd2'])).get('d1')).toEqual({ queued: 1, cancel: [] })
    expect(await site.sync()).toMatchObject([{ id: pulled, attempt: 1, input: { from: 1 } }])
    await site.run(works)
    await site.sync()
    const { id: _, deployment: __, ...seen } = await view(pulled)
    const { id: ___, deployment: ____, ...expected } = await view(pushed, 'd2')
    expect(seen).toEqual(expected)
    expect(seen).toMatchObject({
      status: 'succeeded',
      attempt: 1,
      output: 'looking\nfound\n',
      result: { of: { from: 1 } },
    })
    expect(await handover.waiting(db, ['d1'])).toEqual(new Map())
  })

  it('shows what it writes while it runs, and is not lost for updates that come twice or late', async () => {
    const id = await queue()
    const site = agent()
    await site.sync()
    const held = await site.commands.claim('agent', 15_000, clock.now())
    if (!held) return expect.fail('nothing is due')
    const write = (number: number) => site.commands.output(held, { number, at: clock.now(), chunk: `${number};` })
    await write(1)
    const early = await site.report()
    expect(await view(id)).toMatchObject({ status: 'running', output: '1;' })
    await write(2)
    await accept(updatesOf(site.commands.records))
    await accept(early)
    await write(3)
    await site.commands.finish(held, { status: 'succeeded', result: 'yes' }, clock.now())
    for (let twice = 0; twice < 2; twice++) await accept(updatesOf(site.commands.records))
    await accept(early)
    expect(await view(id)).toMatchObject({ status: 'succeeded', output: '1;2;3;', result: 'yes', attempt: 1 })
  })

  it.each([
    ['revoked in the portal', 'revoked', null, 0],
    ['granted again at the agent, which wins', 'revoked', 'granted', 1],
    ['revoked at the agent', 'granted', 'revoked', 0],
  ] as const)('is handed over as what is in force says: %s', async (_, portal, local, handed) => {
    await db
      .updateTable('deployments')
      .set({ customer: JSON.stringify(customerSettings.parse({ access: portal })) })
      .execute()
    const said = local === null ? {} : { local: JSON.stringify(['access']) }
    const customer = JSON.stringify(customerSettings.parse({ access: local ?? 'granted' }))
    await db
      .insertInto('agents')
      .values({ deployment: 'd1', audit_hash: 'x', customer, ...said })
      .execute()
    await queue()
    expect((await handover.waiting(db, ['d1'])).get('d1')?.queued).toBe(handed)
    expect((await agent().sync()).length).toBe(handed)
  })

  it('keeps its lease as long as reports tell of it, and is begun anew by a new agent when they stop', async () => {
    const id = await queue()
    const [first, second] = [agent(1), agent(2)]
    await first.sync()
    const held = await first.commands.claim('agent', 15_000, clock.now())
    if (!held) return expect.fail('nothing is due')
    await first.report()
    for (let i = 0; i < 3; i++) {
      clock.advance(100_000)
      await first.report()
      expect(await second.sync()).toEqual([])
    }
    clock.advance(181_000)
    expect((await handover.waiting(db, ['d1'])).get('d1')?.queued).toBe(1)
    expect(await second.sync()).toMatchObject([{ id, attempt: 2 }])
    // What the first one, whose volume was lost for the vendor, still says is of an attempt that is over.
    await first.commands.finish(held, { status: 'succeeded', result: 'first' }, clock.now())
    await first.report()
    expect(await view(id)).toMatchObject({ status: 'running', attempt: 2, output: '' })
    await second.run(async (_, __, onOutput) => {
      onOutput('again')
      return { ok: true, output: 'second' }
    })
    await second.report()
    expect(await view(id)).toMatchObject({ status: 'succeeded', attempt: 2, result: 'second' })
    expect((await view(id)).output).toContain('again')
  })

  it('whose order was lost on its way is given again, and done once where only the answer was lost', async () => {
    const id = await queue()
    const site = agent()
    await handover.takeCommands(db, { deployment: 'd1', room: 1, session: 1, at: clock.now() })
    expect(await site.sync()).toEqual([])
    clock.advance(31_000)
    expect(await site.sync()).toMatchObject([{ attempt: 2 }])
    let runs = 0
    await site.run(async (_, call) => {
      runs += 1
      expect(call.attempt).toBe(2)
      return { ok: true, output: null }
    })
    // Meanwhile it was leased once more, and that answer was lost as well.
    await db.updateTable('commands').set({ attempt: 3 }).where('id', '=', id).execute()
    await site.sync()
    expect((await view(id)).status).toBe('running')
    clock.advance(181_000)
    await site.sync()
    await site.sync()
    expect(await view(id)).toMatchObject({ status: 'succeeded', attempt: 4 })
    expect(runs).toBe(1)
  })

  it('is cancelled while it runs there', async () => {
    const id = await queue()
    const site = agent()
    await site.sync()
    const held = await site.commands.claim('agent', 15_000, clock.now())
    if (!held) return expect.fail('nothing is due')
    await site.report()
    await db
      .transaction()
      .execute((trx) => cancelCommand(trx, { project: 'shop', deployment: 'd1', id, by: 'ada', at: clock.now() }))
    expect((await view(id)).status).toBe('running')
    expect((await handover.waiting(db, ['d1'])).get('d1')).toEqual({ queued: 0, cancel: [id] })
    await site.sync()
    expect(await site.commands.renew(held, clock.now() + 1)).toEqual({ ours: true, cancelled: true })
    await attempt(site.commands, { ...held, cancelRequested: true }, works)
    await site.report()
    expect(await view(id)).toMatchObject({ status: 'cancelled', error: { code: 'E_COMMAND_CANCELLED' } })
    expect(await handover.waiting(db, ['d1'])).toEqual(new Map())
  })

  it('ends at its deadline while the agent is away; what the agent tells later changes nothing and is noted', async () => {
    const id = await queue()
    const site = agent()
    await site.sync()
    await site.run(works)
    clock.advance(600_000 + commandLimits.expiryGraceMs)
    expect(await sweepCommands(db, clock.now())).toBe(1)
    const expired = await view(id)
    expect(expired).toMatchObject({ status: 'expired', error: { code: 'E_COMMAND_DEADLINE' } })
    expect((await site.report())[0]).toMatchObject({ status: 'succeeded' })
    expect(await view(id)).toMatchObject({ status: 'expired', result: null })
    expect(await audit()).toEqual(['command.queued', 'command.expired', 'command.late'])
    expect(await site.report()).toEqual([])
  })

  it('that the manager does not know is taken in where the agent says from where it has it', async () => {
    const site = agent()
    const origin = { worker: 'api', command: 'reindex', issuedAt: clock.now() - 1_000, deadline: clock.now() + 60_000 }
    const deadline = origin.deadline
    site.commands.add({ id: 'carried', worker: 'api', version: null, command: 'reindex', input: {}, deadline, origin })
    await site.run(works)
    const [update] = await site.report()
    if (!update) return expect.fail('it said nothing')
    const { origin: _, ...bare } = update
    await accept([{ ...bare, id: 'unknown' }])
    expect(await view('carried')).toMatchObject({ status: 'succeeded', via: 'agent', output: 'looking\nfound\n' })
    expect((await db.selectFrom('commands').select('id').execute()).map((row) => row.id)).toEqual(['carried'])
    // It is never handed to anybody from here.
    site.commands.add({ id: 'open', worker: 'api', version: null, command: 'reindex', input: {}, deadline, origin })
    await site.report()
    clock.advance(300_000)
    expect(await handover.waiting(db, ['d1'])).toEqual(new Map())
    expect(await site.sync()).toEqual([])
  })

  it('whose result was sealed to another key has failed, and holds up no other', async () => {
    const [bad, good] = [await queue(), await queue()]
    const site = agent()
    await site.sync()
    await site.run(works)
    await site.run(works)
    const [first, second] = updatesOf(site.commands.records)
    if (!first || !second) return expect.fail('it said nothing')
    await accept([{ ...first, result: second.result }, second])
    expect(await view(first.id)).toMatchObject({ status: 'failed', error: { code: 'E_COMMAND_RESULT' }, result: null })
    expect((await view(second.id)).status).toBe('succeeded')
    expect([bad, good].sort()).toEqual([first.id, second.id].sort())
  })
})
