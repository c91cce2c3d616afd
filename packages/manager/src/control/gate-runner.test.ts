import { createPublicKey, verify } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { initialState } from '@landfall/engine'
import { exampleManifest, MemorySources } from '@landfall/engine/testing'
import type { GateSpec } from '@landfall/rollout'
import type { RolloutPlanInput } from '@landfall/stack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claimCommand } from '../commands/claim-command.ts'
import { finishCommand } from '../commands/finish-command.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { Database } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { createManagerGates } from './gate-runner.ts'
import { realClock } from './testing/fleet.ts'
import { seedDeployment, seedProject } from './testing/seed.ts'

let server: TestServer
let db: Database
let keyring: Keyring
const got: { headers: IncomingMessage['headers']; body: string }[] = []
let answer: { status: number; body: string } = { status: 200, body: '' }
const hook = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    got.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
    if (answer.status > 0) response.writeHead(answer.status).end(answer.body)
  })
})

beforeAll(async () => {
  server = await startTestServer()
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  hook.closeAllConnections()
  hook.close()
  await server.stop()
})
beforeEach(async () => {
  got.length = 0
  db = (await server.database()).db
  keyring = await openKeyring(db, localMasterKey(Buffer.alloc(32, 1)), Date.now())
  await seedProject(db, 'shop')
  await seedDeployment(db, { id: 'd1', project: 'shop' })
})

const deployment = {
  id: 'd1',
  name: 'd1',
  project: 'shop',
  prefix: 'd1',
  platform: 'local',
  model: 'push',
  environment: {},
} as const

/** A runner for a deployment whose candidate has a plan with these gates before promotion. */
async function runnerFor(prePromotion: NonNullable<RolloutPlanInput['prePromotion']>) {
  const sources = new MemorySources()
  const manifest = exampleManifest({ rollout: { strategy: 'canary', steps: [], prePromotion } })
  const withCommand = {
    ...manifest,
    resources: manifest.resources.map((resource) =>
      resource.name === 'api' && resource.type === 'worker'
        ? { ...resource, commands: { smoke: { input: {}, deadline: '60s' } } }
        : resource,
    ),
  }
  const candidate = sources.release('1.0.0', 1, withCommand)
  const state = JSON.stringify({ ...initialState(0), candidate })
  await db.updateTable('deployments').set({ state }).where('id', '=', 'd1').execute()
  let commands = 0
  const runner = createManagerGates({
    ...{ db, keyring, verifier: sources, clock: realClock, random: { next: () => 0 } },
    onCommand: () => commands++,
  })
  const context = { deployment, worker: 'api', rollout: 'r1', version: 'sha256:candidate' }
  const ask = (kind: GateSpec['kind'], rollout = 'r1') =>
    runner.ask({ id: 'pre-promotion.0', kind }, { ...context, rollout })
  return { ask, commands: () => commands }
}

const hookUrl = () => `http://127.0.0.1:${(hook.address() as AddressInfo).port}/gate`

describe('a webhook gate', () => {
  it('is asked signed, and its answer is taken', async () => {
    const { ask } = await runnerFor([{ kind: 'webhook', url: hookUrl(), timeout: '2s' }])
    answer = { status: 200, body: '{"status":"pass","message":"fine"}' }
    expect(await ask('webhook')).toEqual({ status: 'pass', message: 'fine' })
    const [request] = got
    const header = (name: string) => String(request?.headers[name])
    const key = createPublicKey({ key: Buffer.from(header('landfall-key'), 'base64'), format: 'der', type: 'spki' })
    const signed = Buffer.from(`${header('landfall-timestamp')}.${request?.body}`)
    expect(verify(null, signed, key, Buffer.from(header('landfall-signature'), 'base64'))).toBe(true)
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      gate: 'pre-promotion.0',
      project: 'shop',
      deployment: { id: 'd1' },
      worker: 'api',
      release: '1.0.0',
      version: 'sha256:candidate',
    })
  })

  it.each([
    [200, '{"status":"fail"}', 'fail'],
    [200, '{"status":"wait"}', 'wait'],
    [200, 'ok', 'wait'],
    [200, '{"status":"maybe"}', 'wait'],
    [404, '', 'fail'],
    [429, '', 'wait'],
    [503, '{"status":"pass"}', 'wait'],
    [0, '', 'wait'],
  ])('that answers %i %s means %s', async (status, body, means) => {
    const { ask } = await runnerFor([{ kind: 'webhook', url: hookUrl(), timeout: '200ms' }])
    answer = { status, body }
    expect((await ask('webhook')).status).toBe(means)
  })
})

describe('a command gate', () => {
  const claim = () =>
    claimCommand(db, keyring, { models: ['push'], platforms: ['local'] }, { owner: 'm', ttlMs: 9_000, now: Date.now() })

  it('sends its command once to the candidate, waits, and takes the end as its answer', async () => {
    const { ask, commands } = await runnerFor([
      { kind: 'command', command: 'smoke', input: { deep: true }, timeout: '60s' },
    ])
    expect((await ask('command')).status).toBe('wait')
    expect((await ask('command')).status).toBe('wait')
    expect(commands()).toBe(2)
    const held = await claim()
    if (!held) return expect.fail('nothing was queued')
    expect(held).toMatchObject({ worker: 'api', version: 'sha256:candidate', command: 'smoke', input: { deep: true } })
    expect(await claim()).toBeNull()
    await finishCommand(db, keyring, held, { status: 'succeeded', result: 1 }, Date.now())
    expect((await ask('command')).status).toBe('pass')
    // Another rollout asks anew.
    expect((await ask('command', 'r2')).status).toBe('wait')
    const again = await claim()
    if (!again) return expect.fail('nothing was queued')
    const error = { code: 'E_BAD', message: 'It is broken' }
    await finishCommand(db, keyring, again, { status: 'failed', error }, Date.now())
    expect(await ask('command', 'r2')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('It is broken'),
    })
  })

  it('that the release can not carry out fails', async () => {
    expect(await (await runnerFor([{ kind: 'command', command: 'none', timeout: '1s' }])).ask('command')).toMatchObject(
      { status: 'fail' },
    )
    expect(await (await runnerFor([{ kind: 'job', worker: 'files', timeout: '1s' }])).ask('job')).toMatchObject({
      status: 'fail',
    })
  })
})
