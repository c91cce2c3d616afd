import { createSigningKey, sealTo, signCommand } from '@landfall/release'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { replyKey } from '../agents/reply-key.ts'
import { codeOf, createWorld, type World } from '../agents/tests/world.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { createCommandHandover } from './agent-handover.ts'

let server: TestServer
let world: World
let id: string
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())
beforeEach(async () => {
  world = await createWorld(server)
  const input = { type: 'object', properties: { since: { type: 'string' } }, additionalProperties: false }
  const { envelope, blob, digest } = await world.vendor.release({
    ...{ version: '1.0.0', sequence: 1, commands: { reindex: { input, deadline: '60s' } } },
  })
  await world.ci.putBlob({ params: { project: world.project, digest }, body: blob })
  await world.ci.createRelease({ params: { project: world.project }, body: { envelope } })
  id = (await world.create('initech', { model: 'airgapped' })).id
  await world.tell('initech', '1.0.0')
})

const now = () => world.manager.clock.now()
const date = (ms: number) => new Date(ms).toISOString()
type Statement = Parameters<typeof signCommand>[0]
const signed = (more: Partial<Statement> = {}, key = world.vendor.key) =>
  signCommand(
    {
      ...{ project: world.project, deployment: id, worker: 'api', command: 'reindex', input: {}, id: 'cmd_carried' },
      ...{ issuedAt: date(now()), expiresAt: date(now() + 86_400_000), nonce: 'n'.repeat(32) },
      ...more,
    },
    key,
  )
const record = async (envelope: Awaited<ReturnType<typeof signed>>) =>
  world.admin.recordCommand({ params: world.of('initech'), body: { envelope } })
const shown = () => world.admin.getCommand({ params: { ...world.of('initech'), command: 'cmd_carried' } })

describe('a command for a site without network', () => {
  it('is not queued for ever: it says that it travels by bundle', async () => {
    const call = world.admin.sendCommand({ params: world.of('initech'), body: { command: 'reindex' } })
    const error = await call.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'E_COMMAND_BY_BUNDLE', hint: expect.stringContaining('landfall command sign') })
    expect((await world.admin.listCommands({ params: world.of('initech') })).items).toEqual([])
  })

  it('is known once it is signed, shown as by bundle, and has the result that an export brings', async () => {
    const envelope = await signed()
    expect(await record(envelope)).toMatchObject({ id: 'cmd_carried', status: 'queued', via: 'bundle', attempt: 0 })
    expect(await record(envelope)).toMatchObject({ status: 'queued' })
    expect((await world.audit('initech')).filter((entry) => entry.type === 'command.signed').length).toBe(1)
    expect(
      await codeOf(world.admin.cancelCommand({ params: { ...world.of('initech'), command: 'cmd_carried' } })),
    ).toBe('E_COMMAND_BY_BUNDLE')
    const { db, services } = world.manager
    const handover = createCommandHandover(services.keyring, world.manager.clock)
    expect(await handover.waiting(db, [id])).toEqual(new Map())
    const origin = { worker: 'api', command: 'reindex', issuedAt: now(), deadline: now() + 86_400_000 }
    const update = {
      ...{ id: 'cmd_carried', attempt: 2, status: 'failed' as const, startedAt: now(), finishedAt: now() + 1, origin },
      ...{
        output: [
          {
            number: 1,
            at: now(),
            chunk: sealTo(replyKey(services.keyring).publicKey, 'looked', `output:${id}:cmd_carried:1`),
          },
        ],
        result: null,
        error: { code: 'E_X', message: 'no' },
      },
    }
    // Long after its expiry: that is when exports arrive.
    const at = now() + 20 * 86_400_000
    await db.transaction().execute((trx) => handover.acceptUpdates(trx, { deployment: id, updates: [update], at }))
    expect(await shown()).toMatchObject({ status: 'failed', attempt: 2, output: 'looked', error: { code: 'E_X' } })
    // A second carrier, or the record made after the export came.
    expect(await record(envelope)).toMatchObject({ status: 'failed' })
  })

  it('is refused where its site would refuse it, or the schema does', async () => {
    for (const [envelope, code] of [
      [await signed({}, createSigningKey('vendor')), 'E_KEY_UNKNOWN'],
      [await signed({ deployment: 'dep_other' }), 'E_COMMAND_DEPLOYMENT'],
      [await signed({ issuedAt: date(now() - 2_000), expiresAt: date(now() - 1_000) }), 'E_COMMAND_EXPIRED'],
      [await signed({ command: 'nothing' }), 'E_COMMAND_UNKNOWN'],
      [await signed({ input: { since: 'hunter2', other: 1 } }), 'E_COMMAND_INPUT'],
    ] as const) {
      expect(await codeOf(record(envelope))).toBe(code)
    }
    await record(await signed())
    expect(await codeOf(record(await signed({ expiresAt: date(now() + 1_000) })))).toBe('E_EXISTS')
    await world.create('acme', { model: 'push' })
    const push = await world.admin.getDeployment({ params: world.of('acme') })
    const other = await signed({ deployment: push.id, id: 'cmd_other' })
    expect(await codeOf(world.admin.recordCommand({ params: world.of('acme'), body: { envelope: other } }))).toBe(
      'E_CONFLICT',
    )
  })
})
