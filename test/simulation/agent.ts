import type { Report } from '@landfall/contract'
import type { Desired, Invoker, Platform, StateStore, VerifiedRelease } from '@landfall/engine'
import { seededRandom } from '@landfall/engine/testing'
import { type CustomerSettings, LandfallError } from '@landfall/stack'
import { AgentAudit } from '../../packages/agent/src/audit/agent-audit.ts'
import { startCommands } from '../../packages/agent/src/commands/start-commands.ts'
import type { SavedSetup } from '../../packages/agent/src/identity/setup.ts'
import { noCommands } from '../../packages/agent/src/no-commands.ts'
import { configName } from '../../packages/agent/src/orders/config-names.ts'
import { openOrders } from '../../packages/agent/src/orders/orders.ts'
import type { AgentCommands, AgentParts } from '../../packages/agent/src/parts.ts'
import { Problems } from '../../packages/agent/src/problems.ts'
import { createReporter } from '../../packages/agent/src/report/reporter.ts'
import { startRunner } from '../../packages/agent/src/run/start-runner.ts'
import { openSettings } from '../../packages/agent/src/settings/settings.ts'
import type { AgentState } from '../../packages/agent/src/state/agent-state.ts'
import { type AgentStore, createAgentStore } from '../../packages/agent/src/store/agent-store.ts'
import { SyncClient } from '../../packages/agent/src/sync/sync-client.ts'
import { openMemory } from './agent-memory.ts'
import { replyKey, trust } from './command-keys.ts'
import type { CommandSeams } from './command-store.ts'
import { limits } from './manager.ts'
import type { Life, Scheduler } from './scheduler.ts'
import type { Site } from './site.ts'

/** What a bundle carries: releases by value, and the order. `copy`: where the manager's copy of the agent's chain ended then. */
export interface Bundle {
  releases: VerifiedRelease[]
  order: unknown
  copy: number
  /** Signed commands, and the highest number of an export that was taken in. */
  commands: string[]
  taken: number
}

/** The way to a manager: a status and a body, or `E_UNREACHABLE`. */
export type Send = (path: string, body: unknown, timeoutMs: number) => Promise<{ status: number; body: unknown }>

export interface AgentDeps {
  scheduler: Scheduler
  life: Life
  seed: number
  site: Site
  deployment: string
  model: 'pull' | 'airgapped'
  agreed: CustomerSettings
  policy: Desired['policy']
  send: Send
  wrapStore: (store: StateStore, agent: string) => StateStore
  watchStore: (store: StateStore) => StateStore
  wrapOrders: (apply: (order: unknown) => boolean) => (order: unknown) => boolean
  wrapState: (state: AgentState) => AgentState
  wrapPlatform: (platform: Platform) => Platform
  release: (release: VerifiedRelease) => VerifiedRelease
  releaseOf: (digest: string) => VerifiedRelease
  invoker: Invoker
  commands: CommandSeams
}

export interface RunningAgent {
  life: Life
  parts: Pick<AgentParts, 'state' | 'store' | 'audit' | 'settings' | 'orders' | 'wake' | 'clock' | 'setup'>
  import(bundle: Bundle): void
  export(after: number): Report
}

const quiet = { info() {}, warn() {} }

/** One agent process over its disk: orders, settings, store, audit, report, sync and runner are the agent's own. */
export function startAgent(deps: AgentDeps): RunningAgent {
  const { scheduler, life, deployment: id, site } = deps
  const clock = scheduler.clockOf(life)
  const random = seededRandom(deps.seed)
  const mayDie = () => {
    if (life.doom === null || --life.doom > 0) return
    scheduler.note(`kill ${life.name} at a commit`)
    scheduler.kill(life)
    throw new Error('killed at a commit')
  }
  const state = deps.wrapState(openMemory(site.disk, () => life.dead, mayDie))
  const setup = setupOf(id, deps)
  const settings = openSettings(state, deps.agreed)
  const audit = new AgentAudit(state)
  let wake = () => {}
  let changed = () => {}
  const store = createAgentStore({ state, audit, clock, view: settings.view, onChange: () => changed() })
  const opened = openOrders({ state, store, audit, settings, setup, environment: {}, clock, onApplied: () => wake() })
  const apply = deps.wrapOrders((order) => opened.apply(order, deps.model === 'pull' ? 'sync' : 'bundle'))
  const orders = { current: opened.current, apply }
  const problems = new Problems(clock, () => changed())
  const spool = { stats: () => ({ bytes: 0, oldestAt: null, drops: [] }) } as never
  let commands: AgentCommands = noCommands
  const unlessDead = (error: unknown) => {
    if (!life.dead) throw error
  }
  const reporter = createReporter({
    ...{ state, store, audit, spool, settings, problems, setup, clock },
    version: '1.0.0',
    startedAt: clock.now(),
    order: orders.current,
    commands: () => commands,
  })
  const verifier = { load: (digest: string) => loadRelease(deps, state, digest) }
  commands = startCommands({
    ...{ state, clock, random, log: quiet, setup, store, settings, problems, audit },
    sources: { verifier, trust } as unknown as AgentParts['sources'],
    platform: { invoker: deps.invoker },
    changed: () => changed(),
  })
  takeSigned(state, commands).catch(unlessDead)
  const runner = startRunner({
    store: throughDisk(store, deps.wrapStore(deps.watchStore(store), life.name), scheduler, life),
    problems,
    deployment: id,
    onRest: () => {},
    platform: site.reachedBy(life, deps.wrapPlatform),
    verifier,
    config: { load: async (digest) => configOf(state.get(configName(digest)), digest) },
    blobs: { read: () => Promise.reject(new Error('no content in the simulation')) },
    metrics: { read: async () => null },
    gates: { ask: async () => ({ status: 'pass' }) },
    clock,
    random,
    log: quiet,
    owner: life.name,
    limits,
  })
  wake = () => runner.wake()
  if (deps.model === 'pull') {
    const client = new SyncClient({
      ...{ state, deployment: id, orders, settings, reporter, problems, audit, store, clock, random },
      trust: { version: () => 1, take() {} } as never,
      commands: () => commands,
      upstream: {} as never,
      wake: () => wake(),
      link: linkOver(deps.send) as never,
      url: 'https://manager.test',
      log: quiet,
      signal: life.ended.signal,
    })
    changed = () => client.changed()
    void client.run()
  }
  return {
    life,
    parts: { state, store, audit, settings, orders, wake: () => wake(), clock, setup },
    import({ releases, order, copy, commands: signed, taken }) {
      for (const release of releases) state.put(`release/${release.digest}`, release)
      state.put('bundle-copy', copy)
      orders.apply(order)
      forgetExports(state, commands, taken)
      state.put('signed', signed)
      takeSigned(state, commands).catch(unlessDead)
    },
    export(after) {
      const report = reporter.build(after)
      state.put(`export/${report.number}`, report.commands)
      return report
    },
  }
}

/** Hands the commands of the bundle that came last to the queue; what a kill left over is handed on at the next start. */
async function takeSigned(state: AgentParts['state'], commands: AgentCommands): Promise<void> {
  // Refused: expired, or accepted before.
  for (const envelope of (state.get('signed') as string[] | undefined) ?? [])
    await commands.accept(envelope).catch(() => {})
}

/** What only those exports told of is told: as `confirmExports`. */
function forgetExports(state: AgentParts['state'], commands: AgentCommands, through: number): void {
  for (const name of state.names('export/')) {
    if (Number(name.slice('export/'.length)) > through) continue
    commands.reported(state.get(name) as Report['commands'])
    state.delete(name)
  }
}

function throughDisk(store: AgentStore, engines: StateStore, scheduler: Scheduler, life: Life): AgentStore {
  const hop = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
    await scheduler.hop(life, 1, `${life.name} ${label}>`)
    const value = await work()
    await scheduler.hop(life, 1, `${life.name} ${label}<`)
    return value
  }
  return {
    ...store,
    claim: (...given) => hop('claim', () => engines.claim(...given)),
    renew: (...given) => hop('renew', () => engines.renew(...given)),
    desired: (...given) => hop('desired', () => engines.desired(...given)),
    persist: (...given) => hop('persist', () => engines.persist(...given)),
    release: (...given) => hop('release', () => engines.release(...given)),
  }
}

/** Kept at the site once it was fetched; a site without network has what bundles brought. */
async function loadRelease(deps: AgentDeps, state: AgentParts['state'], digest: string): Promise<VerifiedRelease> {
  const known = state.get(`release/${digest}`) as VerifiedRelease | undefined
  if (known) return deps.release(known)
  if (deps.model === 'pull') {
    const { status } = await deps.send('release', { digest }, 10_000)
    if (status === 200) {
      state.put(`release/${digest}`, deps.releaseOf(digest))
      return deps.release(deps.releaseOf(digest))
    }
  }
  throw new LandfallError({
    code: 'E_RELEASE_UNKNOWN',
    message: 'The release is not here',
    hint: 'None.',
    retryable: true,
  })
}

function configOf(document: unknown, digest: string) {
  if (!document) throw new LandfallError({ code: 'E_CONFIG_UNKNOWN', message: 'No such config', hint: 'None.' })
  const { inputs, secrets, bindings } = document as {
    inputs: Record<string, number>
    secrets: Record<string, { version: number }>
    bindings: Record<string, never>
  }
  const versions = Object.fromEntries(Object.entries(secrets).map(([name, { version }]) => [name, { version }]))
  return { digest, inputs, bindings, secrets: versions, openSecret: async (name: string) => `value of ${name}` }
}

/** The agent's standing with its manager: sessions are not proved here, only that they end and begin. */
function linkOver(send: Send) {
  let session: string | null = null
  const encode = async function* (body: unknown) {
    yield Buffer.from(JSON.stringify(body))
  }
  return {
    enrolled: true,
    wantsRenewal: false,
    token: () => session,
    ended: (token: string | null) => {
      if (token === session) session = null
    },
    enrol: async () => {},
    beginSession: async () => {
      const { body } = await send('session', null, 10_000)
      session = 'session'
      return (body as { poll: unknown }).poll
    },
    transport: {
      close: async () => {},
      send: async (call: { body?: unknown; timeoutMs: number }) => {
        const { status, body } = await send('sync', call.body, call.timeoutMs)
        return { status, headers: {}, body: encode(body) }
      },
    },
  }
}

function setupOf(id: string, deps: AgentDeps): SavedSetup {
  const { model, agreed, policy } = deps
  const deployment = { id, name: id, project: 'shop', prefix: 'x', platform: 'local', model, environment: {} }
  const key = { publicKey: 'x'.repeat(44) }
  return {
    schema: 'landfall.dev/agent-setup/v1',
    deployment,
    root: key,
    reply: { seal: replyKey.publicKey },
    sync: null,
    customer: agreed,
    policy,
  } as SavedSetup
}
