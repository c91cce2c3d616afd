import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Invoker } from '@landfall/engine'
import { commandConformance } from '@landfall/engine/testing/commands'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { realClock } from '../control/testing/fleet.ts'
import { seedDeployment, seedProject } from '../control/testing/seed.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { Database } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { cancelCommand } from './cancel-command.ts'
import { claimCommand } from './claim-command.ts'
import { createCommandStore } from './command-store.ts'
import { resultContext } from './contexts.ts'
import { commandsKeptMs, dropOldCommands } from './drop-old-commands.ts'
import { type CommandExecutor, startExecutor } from './executor.ts'
import { finishCommand } from './finish-command.ts'
import { queueCommand } from './queue-command.ts'
import { readOutput } from './read-output.ts'
import { sweepCommands } from './sweep-commands.ts'
import { insertOutput } from './write-output.ts'

let server: TestServer
let db: Database
let url: string
const masterKey = randomBytes(32)
let keyring: Keyring
const executors: CommandExecutor[] = []

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  const database = await server.database()
  db = database.db
  url = database.url
  keyring = await openKeyring(db, localMasterKey(masterKey), Date.now())
  await seedProject(db, 'shop')
  await seedDeployment(db, { id: 'd1', project: 'shop' })
})
afterEach(async () => {
  await Promise.all(executors.splice(0).map((executor) => executor.stop()))
})

const scope = { models: ['push'], platforms: ['local'] } as const
type Call = Parameters<Invoker['invoke']>
const queue = (more: Partial<Parameters<typeof queueCommand>[2]> = {}) =>
  db.transaction().execute((trx) =>
    queueCommand(trx, keyring, {
      project: 'shop',
      deployment: 'd1',
      worker: 'api',
      version: null,
      command: 'reindex',
      input: { from: 'hunter2' },
      deadline: Date.now() + 30_000,
      by: 'ada',
      idempotencyKey: null,
      at: Date.now(),
      ...more,
    }),
  )
const row = (id: string) => db.selectFrom('commands').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

function execute(invoke: Invoker['invoke'], owner = 'm1', leaseMs = 15_000) {
  const calls: Call[] = []
  const invoker: Invoker = {
    invoke: (...call: Call) => {
      calls.push(call)
      return invoke(...call)
    },
  }
  const executor = startExecutor({
    db,
    keyring,
    clock: realClock,
    random: { next: () => 0.1 },
    log: { info: () => {}, warn: (message, fields) => expect.fail(`${message} ${JSON.stringify(fields)}`) },
    invokerOf: () => invoker,
    check: async () => {},
    leaseMs,
    onChange: () => {},
    scope,
    owner,
    concurrency: 2,
    idleMs: 50,
  })
  executors.push(executor)
  return calls
}

async function ended(id: string) {
  for (let tries = 0; tries < 700; tries++) {
    const found = await row(id)
    if (!['queued', 'running'].includes(found.status)) return found
    await sleep(25)
  }
  return expect.fail(`it is still ${(await row(id)).status}`)
}

const until = (call: Call) =>
  new Promise<never>((_, reject) => call[0].signal.addEventListener('abort', () => reject(call[0].signal.reason)))

describe('a command', () => {
  it('runs, streams its output, and keeps input, output and result sealed', async () => {
    const calls = execute(async (_, call, onOutput) => {
      for (let i = 0; i < 3; i++) onOutput(`line ${i} hunter2\n`)
      return { ok: true, output: { count: 3, of: call.input } }
    })
    const id = await queue()
    const done = await ended(id)
    expect(done).toMatchObject({ status: 'succeeded', attempt: 1, error: null })
    expect(calls[0]?.[0]).toMatchObject({ worker: 'api', deployment: { id: 'd1', prefix: 'd1' } })
    expect(calls[0]?.[1]).toMatchObject({ command: 'reindex', id, attempt: 1, input: { from: 'hunter2' } })
    expect(await readOutput(db, keyring, 'd1', id)).toBe('line 0 hunter2\nline 1 hunter2\nline 2 hunter2\n')
    const result = keyring.open(done.result ?? Buffer.of(), resultContext('d1', id)).toString()
    expect(JSON.parse(result)).toEqual({ count: 3, of: { from: 'hunter2' } })
    const stored = JSON.stringify([
      await db.selectFrom('commands').selectAll().execute(),
      await db.selectFrom('command_output').selectAll().execute(),
      await db.selectFrom('audit_entries').selectAll().execute(),
    ])
    expect(stored).not.toContain('hunter2')
    expect(stored).not.toContain(Buffer.from('hunter2').toString('base64').slice(0, 8))
    const audit = await db.selectFrom('audit_entries').select('type').orderBy('number').execute()
    expect(audit.map((entry) => entry.type)).toEqual(['command.queued', 'command.succeeded'])
  })

  it('is taken up by another manager when its runner dies, as a next attempt; the dead one can end nothing', async () => {
    const id = await queue()
    const now = Date.now()
    const dead = await claimCommand(db, keyring, scope, { owner: 'dead', ttlMs: 400, now })
    if (!dead) return expect.fail('nothing was due')
    const calls = execute(async () => ({ ok: true, output: 'second' }))
    expect(await ended(id)).toMatchObject({ status: 'succeeded', attempt: 2 })
    expect(calls.length).toBe(1)
    expect(calls[0]?.[1].attempt).toBe(2)
    expect(await finishCommand(db, keyring, dead, { status: 'succeeded', result: 'first' }, Date.now())).toBe(false)
  })

  it('is run again elsewhere when the process that runs it is killed', async () => {
    const script = new URL('../testing/execute-child.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [script, url, masterKey.toString('hex')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    const id = await queue()
    const [begun] = await once(child.stdout, 'data')
    expect(String(begun)).toBe(`${id} 1\n`)
    while ((await readOutput(db, keyring, 'd1', id)) === '') await sleep(50)
    child.kill('SIGKILL')
    expect(await closed).toEqual([null, 'SIGKILL'])
    const calls = execute(async () => ({ ok: true, output: 'whole' }))
    expect(await ended(id)).toMatchObject({ status: 'succeeded', attempt: 2 })
    expect(calls.map((call) => call[1].attempt)).toEqual([2])
    expect(await readOutput(db, keyring, 'd1', id)).toBe('begun by the one that dies\n[attempt 2]\n')
  })

  it('keeps its lease for as long as it runs: nobody else takes it', async () => {
    const id = await queue()
    const invoke: Invoker['invoke'] = async () => {
      await sleep(4_000)
      return { ok: true, output: null }
    }
    // Longer than a lease: without renewal the other one would take it.
    const first = execute(invoke, 'm1', 2_000)
    const second = execute(invoke, 'm2', 2_000)
    expect(await ended(id)).toMatchObject({ status: 'succeeded', attempt: 1 })
    expect(first.length + second.length).toBe(1)
  })

  it('is given back when its manager stops, and run again by the next', async () => {
    const id = await queue()
    const calls = execute((...call) => until(call))
    while (calls.length === 0) await sleep(10)
    await executors.splice(0)[0]?.stop()
    expect((await row(id)).status).toBe('running')
    execute(async () => ({ ok: true, output: 1 }))
    expect(await ended(id)).toMatchObject({ status: 'succeeded', attempt: 2 })
  })

  it('that answers an error has failed; one that could not be reached is tried again', async () => {
    const error = { code: 'E_NO_SUCH_THING', message: 'There is none' }
    execute(async (_, call) => {
      if (call.command === 'fails') return { ok: false, error }
      if (call.attempt < 3) throw new Error('connection refused')
      return { ok: true, output: null }
    })
    expect(await ended(await queue({ command: 'fails' }))).toMatchObject({ status: 'failed', attempt: 1, error })
    expect(await ended(await queue())).toMatchObject({ status: 'succeeded', attempt: 3 })
  })

  it('ends at its deadline, running or waiting, also against a worker that listens to nothing', async () => {
    const deaf = () => new Promise<never>(() => {})
    execute(deaf)
    const running = await queue({ deadline: Date.now() + 400 })
    const never = await queue({ deadline: Date.now() - 1 })
    expect(await ended(running)).toMatchObject({ status: 'expired', error: { code: 'E_COMMAND_DEADLINE' } })
    expect(await ended(never)).toMatchObject({ status: 'expired', attempt: 0 })
  })

  it('is cancelled at once while it waits, and told while it runs', async () => {
    const cancel = (id: string) => {
      const order = { project: 'shop', deployment: 'd1', id, by: 'ada', at: Date.now() }
      return db.transaction().execute((trx) => cancelCommand(trx, order))
    }
    const waiting = await queue()
    await cancel(waiting)
    expect((await row(waiting)).status).toBe('cancelled')
    const calls = execute((...call) => until(call))
    const running = await queue()
    while (calls.length === 0) await sleep(10)
    await cancel(running)
    expect(await ended(running)).toMatchObject({ status: 'cancelled' })
    await cancel(running)
    expect((await row(running)).status).toBe('cancelled')
  })

  it('sent twice with one key is one command', async () => {
    const calls = execute(async () => ({ ok: true, output: null }))
    const ids = await Promise.all(Array.from({ length: 4 }, () => queue({ idempotencyKey: 'k1' })))
    expect(new Set(ids).size).toBe(1)
    expect(await queue({ idempotencyKey: 'k1', by: 'bob' })).not.toBe(ids[0])
    await ended(ids[0] ?? '')
    while (calls.length < 2) await sleep(10)
    expect(calls.length).toBe(2)
  })

  it('that floods its output fills nothing, and says so', async () => {
    execute(async (_, __, onOutput) => {
      for (let i = 0; i < 40; i++) onOutput('x'.repeat(100_000))
      return { ok: true, output: 'y'.repeat(2_000_000) }
    })
    const id = await queue()
    expect(await ended(id)).toMatchObject({ status: 'failed', error: { code: 'E_COMMAND_RESULT' } })
    const output = await readOutput(db, keyring, 'd1', id)
    expect(output.length).toBeLessThan(1_100_000)
    expect(output).toMatch(/\[2951424 bytes of output were dropped\]/)
  })
})

describe('of many deployments', () => {
  const now = Date.now()
  const flood = (deployment: string, count: number) =>
    sql`insert into commands (deployment, id, project, worker, command, input, created_at, created_by, deadline)
      select ${deployment}, 'cmd_' || n, 'shop', 'api', 'reindex', ${keyring.seal('1', 'unused')}, ${new Date(now - 60_000)},
        'test', ${new Date(now + 60_000)} from generate_series(1, ${count}::int) n`.execute(db)
  // What the flood sealed opens for none of its rows: only the other deployment's can be read.
  const order = async (claims: number) => {
    const taken: string[] = []
    const plain = { ...keyring, open: () => Buffer.from('1') }
    const store = createCommandStore({ db, keyring: plain, scope, perDeployment: 3 })
    for (let i = 0; i < claims; i++) taken.push((await store.claim('m', 60_000, now))?.deployment.id ?? 'none')
    return taken
  }

  it('takes turns: 10,000 that wait in one hold up no other, and one alone never has all places', async () => {
    await seedDeployment(db, { id: 'd2', project: 'shop' })
    await flood('d1', 10_000)
    await queue({ deployment: 'd2', at: now })
    expect(await order(5)).toEqual(['d1', 'd2', 'd1', 'd1', 'none'])
  })

  it('are forgotten with their output 90 days after their end, and no sooner', async () => {
    await sql`insert into commands (deployment, id, project, worker, command, input, status, created_at, created_by, deadline, finished_at)
      select 'd1', 'cmd_' || n, 'shop', 'api', 'reindex', ${keyring.seal('1', 'unused')}, 'failed', ${new Date(now)}, 'test',
        ${new Date(now)}, ${new Date(now)}::timestamptz + n * interval '1 second' from generate_series(1, 2500) n`.execute(
      db,
    )
    await insertOutput(db, keyring, { deployment: 'd1', id: 'cmd_1' }, [{ number: 1, at: now, chunk: 'x' }])
    expect(await dropOldCommands(db, now + commandsKeptMs)).toBe(0)
    expect(await dropOldCommands(db, now + commandsKeptMs + 2_100_001)).toBe(2100)
    expect(await db.selectFrom('command_output').selectAll().execute()).toEqual([])
    expect((await db.selectFrom('commands').select('id').execute()).length).toBe(400)
  })

  it('gives nothing of a deployment that an agent runs, or that travels by bundle', async () => {
    await seedDeployment(db, { id: 'd3', project: 'shop', model: 'pull' })
    await queue({ deployment: 'd3', at: now, deadline: now + 30_000 })
    const carried = await queue({ at: now, deadline: now + 1_000 })
    await db.updateTable('commands').set({ via: 'bundle' }).where('id', '=', carried).execute()
    expect(await order(1)).toEqual(['none'])
    // A site may have run it in time and tell so later.
    expect(await sweepCommands(db, now + 60_000)).toBe(1)
    expect((await row(carried)).status).toBe('queued')
    expect(await sweepCommands(db, now + 40 * 86_400_000)).toBe(1)
    expect((await row(carried)).status).toBe('expired')
  })
})

commandConformance(
  'the manager',
  async () => {
    await db.deleteFrom('commands').execute()
    let now = Date.UTC(2026, 10, 21)
    return {
      store: createCommandStore({ db, keyring, scope }),
      now: () => now,
      advance: (ms) => {
        now += ms
      },
      queue: (key, deadline) => queue({ idempotencyKey: key, deadline, at: now }),
      cancel: (id) =>
        db
          .transaction()
          .execute((trx) => cancelCommand(trx, { project: 'shop', deployment: 'd1', id, by: 'ada', at: now })),
      sweep: () => sweepCommands(db, now),
      look: async (id) => {
        const { status, attempt, error, result } = await row(id)
        const opened = result ? JSON.parse(keyring.open(result, resultContext('d1', id)).toString()) : null
        return { status, attempt, error: error?.code ?? null, result: opened }
      },
      output: (id) => readOutput(db, keyring, 'd1', id),
    }
  },
  { runs: 25 },
)
