import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentSetup, CommandUpdate } from '@landfall/contract'
import { type Clock, type DeploymentRef, type Invoker, initialState } from '@landfall/engine'
import { exampleManifest, MemorySources } from '@landfall/engine/testing'
import { createRootKey, createSigningKey, keysetEntry, openSealed, signCommand, signKeyset } from '@landfall/release'
import { customerSettings } from '@landfall/stack'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AgentAudit } from '../audit/agent-audit.ts'
import { Problems } from '../problems.ts'
import { openSettings } from '../settings/settings.ts'
import { openTrust } from '../sources/trust.ts'
import { AgentState } from '../state/agent-state.ts'
import { createAgentStore } from '../store/agent-store.ts'
import { newKey, scratch } from '../testing/scratch.ts'
import { type CommandParts, startCommands } from './start-commands.ts'

const files = scratch()
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})
afterAll(() => files.remove())

const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
}
const deployment: DeploymentRef = {
  ...{ id: 'd1', name: 'd1', project: 'shop', prefix: 'd1', environment: {} },
  platform: 'local',
  model: 'airgapped',
}
const reply = generateKeyPairSync('x25519')
const root = createRootKey()
const [vendor, manager] = [createSigningKey('vendor'), createSigningKey('manager')]
const input = { type: 'object', properties: { from: { type: 'number' } }, additionalProperties: false }

type Call = Parameters<Invoker['invoke']>
let calls: Call[] = []
let invoke: Invoker['invoke']
beforeEach(() => {
  calls = []
  invoke = async (_, call) => ({ ok: true, output: { of: call.input } })
})
const hangs: Invoker['invoke'] = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

/** An agent's commands over its real state, with a release that rests there; the worker is the test. */
async function agent() {
  const state = AgentState.open(files.path(), newKey())
  const audit = new AgentAudit(state)
  const settings = openSettings(state)
  const store = createAgentStore({ state, audit, clock, view: settings.view, onChange: () => {} })
  const releases = new MemorySources()
  const manifest = exampleManifest({})
  const withCommand = manifest.resources.map((resource) =>
    resource.type === 'worker' && resource.name === 'api'
      ? { ...resource, commands: { reindex: { input, deadline: '60s' }, job: { input: {}, deadline: '60s' } } }
      : resource,
  )
  const stable = releases.release('1.0.0', 1, { ...manifest, resources: withCommand })
  store.put({
    ...{ generation: 1, deployment, operation: 'run', target: stable, setup: null, controls: [], answers: [] },
    customer: customerSettings.parse({}),
    policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
  })
  const claim = (await store.claim('engine', 60_000)) ?? expect.fail('nothing to claim')
  await store.persist(claim.lease, { ...initialState(0), stable }, [])
  const trust = openTrust(state, 'shop', { publicKey: root.publicKey })
  const keys = [keysetEntry('vendor', vendor), keysetEntry('manager', manager)]
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
  trust.take(
    { envelope: await signKeyset({ project: 'shop', version: 1, expiresAt, keys }, root), rotations: [] },
    Date.now(),
  )
  const problems = new Problems(clock, () => {})
  const commands = startCommands({
    ...{ state, clock, audit, settings, store, problems, random: { next: () => 0 }, changed: () => {} },
    log: { info: () => {}, warn: (message, fields) => expect.fail(`${message} ${JSON.stringify(fields)}`) },
    setup: {
      deployment,
      reply: { seal: reply.publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
    } as AgentSetup,
    sources: { verifier: releases, trust } as unknown as CommandParts['sources'],
    platform: {
      invoker: {
        invoke: (...call: Call) => {
          calls.push(call)
          return invoke(...call)
        },
      },
    },
  })
  stops.push(async () => {
    await commands.stop()
    state.close()
  })
  const give = (id: string, more: object = {}): void => {
    commands.take([
      {
        ...{ id, worker: 'api', version: null, command: 'reindex', input: { from: 1 }, attempt: 1 },
        ...{ deadline: Date.now() + 60_000, ...more },
      },
    ])
  }
  const until = async (id: string, holds: (update: CommandUpdate) => boolean) => {
    for (;;) {
      const update = commands.updates().find((each) => each.id === id)
      if (update && holds(update)) return update
      await sleep(10)
    }
  }
  return {
    commands,
    settings,
    problems,
    give,
    until,
    over: (id: string) => until(id, (each) => each.finishedAt !== null),
  }
}
const result = (update: CommandUpdate) =>
  JSON.parse(openSealed(reply.privateKey, update.result ?? '', `result:d1:${update.id}`).toString()) as unknown

describe('the commands of an agent', { timeout: 30_000 }, () => {
  it('are run, and their results sealed to the manager', async () => {
    const site = await agent()
    expect(site.commands.room()).toBe(4)
    site.give('a')
    const update = await site.over('a')
    expect(update).toMatchObject({ status: 'succeeded', attempt: 1 })
    expect(result(update)).toEqual({ of: { from: 1 } })
    expect(calls[0]?.[1]).toMatchObject({ id: 'a', attempt: 1, command: 'reindex' })
  })

  it('are checked against the schema of the release once more, whoever signed or sent them', async () => {
    const site = await agent()
    site.give('bad', { input: { from: 'hunter2' } })
    site.give('unknown', { command: 'nothing' })
    const bad = await site.over('bad')
    expect(bad).toMatchObject({ status: 'failed', error: { code: 'E_COMMAND_INPUT' } })
    expect(JSON.stringify(bad)).not.toContain('hunter2')
    expect(await site.over('unknown')).toMatchObject({ error: { code: 'E_COMMAND_UNKNOWN' } })
    expect(calls).toEqual([])
  })

  it('go on after the agent’s own state could not be read for a while', async () => {
    const site = await agent()
    const broken = vi.spyOn(site.settings, 'inForce').mockImplementation(() => {
      throw new Error('disk I/O error')
    })
    site.give('a')
    while (site.problems.list().length === 0) await sleep(10)
    expect(site.problems.list()).toMatchObject([{ code: 'COMMANDS_STOPPED' }])
    broken.mockRestore()
    site.give('b')
    expect(await site.over('a')).toMatchObject({ status: 'succeeded' })
    expect(site.problems.list()).toEqual([])
  })

  it('do not run while the customer has revoked access; what ran is stopped and begun anew afterwards', async () => {
    const site = await agent()
    invoke = hangs
    site.give('a')
    while (calls.length === 0) await sleep(10)
    site.settings.change({ access: 'revoked' })
    await site.until('a', (each) => each.status === 'postponed')
    expect(calls[0]?.[0].signal.aborted).toBe(true)
    expect(site.commands.room()).toBe(0)
    site.give('b')
    await sleep(1_500)
    expect(calls.length).toBe(1)
    invoke = async () => ({ ok: true, output: null })
    site.settings.change({ access: 'granted' })
    expect(await site.over('a')).toMatchObject({ status: 'succeeded', attempt: 2 })
    expect(await site.over('b')).toMatchObject({ status: 'succeeded', attempt: 1 })
  })

  it('are cancelled while they run: the worker is told, and the manager', async () => {
    const site = await agent()
    invoke = hangs
    site.give('a')
    while (calls.length === 0) await sleep(10)
    site.commands.cancel(['a'])
    expect(await site.over('a')).toMatchObject({ status: 'cancelled', error: { code: 'E_COMMAND_CANCELLED' } })
    expect(calls[0]?.[0].signal.aborted).toBe(true)
  })

  it('that flood their output fill nothing, and say how much was dropped', async () => {
    const site = await agent()
    invoke = async (_, __, onOutput) => {
      for (let i = 0; i < 40; i++) onOutput('x'.repeat(100_000))
      return { ok: true, output: null }
    }
    site.give('a')
    const update = await site.over('a')
    const output = update.output
      .map(({ number, chunk }) =>
        openSealed(reply.privateKey, chunk, `output:${deployment.id}:a:${number}`).toString('utf8'),
      )
      .join('')
    expect(output.length).toBeLessThan(1_048_576 + 100)
    expect(output).toContain('[2951424 bytes of output were dropped]')
  })

  it('are taken signed, once, for this deployment, from the vendor alone, before they expire', async () => {
    const site = await agent()
    const date = (ms: number) => new Date(Date.now() + ms).toISOString()
    const sign = async (more: object = {}, key = vendor) =>
      JSON.stringify(
        await signCommand(
          {
            ...{ project: 'shop', deployment: 'd1', worker: 'api', command: 'reindex', id: 'carried' },
            ...{ input: { from: 7 }, issuedAt: date(-1_000), expiresAt: date(60_000), nonce: 'n'.repeat(32) },
            ...more,
          },
          key,
        ),
      )
    for (const [envelope, code] of [
      [await sign({ deployment: 'd2' }), 'E_COMMAND_DEPLOYMENT'],
      [await sign({ issuedAt: date(-2_000), expiresAt: date(-1_000) }), 'E_COMMAND_EXPIRED'],
      [await sign({}, manager), 'E_KEY_KIND_UNTRUSTED'],
      [await sign({}, createSigningKey('vendor')), 'E_KEY_UNKNOWN'],
    ] as const) {
      await expect(site.commands.accept(envelope)).rejects.toMatchObject({ code })
    }
    const envelope = await sign()
    const both = await Promise.allSettled([site.commands.accept(envelope), site.commands.accept(envelope)])
    expect(both.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected'])
    // Its nonce is used up, whatever it calls itself.
    const renamed = site.commands.accept(await sign({ id: 'renamed' }))
    await expect(renamed).rejects.toMatchObject({ code: 'E_COMMAND_REPLAYED' })
    const update = await site.over('carried')
    expect(update).toMatchObject({ status: 'succeeded', origin: { worker: 'api', command: 'reindex' } })
    expect(result(update)).toEqual({ of: { from: 7 } })
    for (const again of [envelope, await sign({ id: 'other' }), await sign({ nonce: 'm'.repeat(32) })]) {
      await expect(site.commands.accept(again)).rejects.toMatchObject({ code: 'E_COMMAND_REPLAYED' })
    }
    expect(calls.length).toBe(1)
  })

  it('of gates are run once under one key, and the manager hears from where they are', async () => {
    const site = await agent()
    const worker = exampleManifest({}).resources.find((each) => each.name === 'api')
    if (worker?.type !== 'worker') return expect.fail('no worker')
    const gate = { command: 'job', input: {}, timeout: '60s' }
    const ask = () => site.commands.gates({ deployment, key: 'g:v', rollout: 'r1', worker, version: null, gate })
    expect((await ask()).status).toBe('queued')
    while (!['succeeded', 'failed'].includes((await ask()).status)) await sleep(10)
    const [update] = site.commands.updates()
    expect(update).toMatchObject({ status: 'succeeded', origin: { command: 'job', by: 'gate:r1' } })
    expect(calls.length).toBe(1)
  })
})
