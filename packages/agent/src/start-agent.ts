import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentSetup } from '@landfall/contract'
import type { Clock, Limits, Log, Random } from '@landfall/engine'
import { createLocalPlatform, type LocalPlatformOptions } from '@landfall/platform-local'
import { BundleStore } from '@landfall/release'
import type { Agent } from './agent.ts'
import { AgentAudit } from './audit/agent-audit.ts'
import { startCommands } from './commands/start-commands.ts'
import { createAgent } from './create-agent.ts'
import { openIdentity } from './identity/identity.ts'
import { takeSetup } from './identity/setup.ts'
import { takeLock } from './lock.ts'
import { noCommands } from './no-commands.ts'
import { openOrders } from './orders/orders.ts'
import type { AgentCommands, AgentParts } from './parts.ts'
import { Problems } from './problems.ts'
import { createReporter } from './report/reporter.ts'
import { startRunner } from './run/start-runner.ts'
import { openSettings } from './settings/settings.ts'
import { openSite } from './site/open-site.ts'
import { createSources } from './sources/create-sources.ts'
import type { GateCommands } from './sources/gates.ts'
import { openTrust } from './sources/trust.ts'
import type { SpoolLimits } from './spool/limits.ts'
import { Spool } from './spool/spool.ts'
import type { AgentKey } from './state/agent-key.ts'
import { AgentState } from './state/agent-state.ts'
import { createAgentStore } from './store/agent-store.ts'
import { type SyncOptions, startSync } from './sync/start-sync.ts'
import { type AgentTelemetry, startTelemetry } from './telemetry/start-telemetry.ts'

export interface StartAgentOptions {
  /** The agent's own directory; only one agent works on it. */
  directory: string
  key: AgentKey
  /** Needed at the first start; afterwards only to enrol again. */
  setup?: AgentSetup | null
  version?: string
  /** Where the deployment lives on this machine, instead of where the setup says. Fixed by who runs the agent, never by an order. */
  environment?: Readonly<Record<string, unknown>>
  sync?: SyncOptions
  /** Whether webhooks that a release's plan names are asked from this site; true unless told. */
  webhooks?: boolean
  spoolLimits?: SpoolLimits
  clock?: Clock
  random?: Random
  log?: Log
  /** The engine's bounds. */
  limits?: Partial<Limits>
  platform?: LocalPlatformOptions
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
}

/**
 * Starts an agent on its directory: lock, sealed state, setup, then runner and sync, which go on for ever by themselves. Only what a
 * person must put right before anything can run rejects; a manager that is away does not.
 *
 * @throws LandfallError `E_AGENT_RUNNING`, `E_AGENT_KEY_WRONG`, `E_AGENT_STATE_TAMPERED`, `E_SCHEMA_NEWER`, `E_DISK_FULL`,
 *   `E_AGENT_SETUP`, `E_AGENT_SETUP_OTHER`
 */
export async function startAgent(options: StartAgentOptions): Promise<Agent> {
  const lock = takeLock(options.directory)
  const closing: (() => void)[] = [() => lock.release()]
  const close = () => {
    for (const end of closing.splice(0).reverse()) end()
  }
  try {
    const state = AgentState.open(options.directory, options.key)
    closing.push(() => state.close())
    return await compose(options, state, closing, close)
  } catch (error) {
    close()
    throw error
  }
}

async function compose(
  options: StartAgentOptions,
  state: AgentState,
  closing: (() => void)[],
  close: () => void,
): Promise<Agent> {
  const { directory, version = '0.1.0', clock = systemClock, random = { next: Math.random } } = options
  const log = options.log ?? { info: () => {}, warn: () => {} }
  const setup = takeSetup(state, options.setup ?? null)
  const { id, project } = setup.deployment
  const startedAt = clock.now()
  let stopping: Promise<void> | null = null
  let onChanged: () => void = () => {}
  let wakeRunner: () => void = () => {}
  const changed = () => onChanged()
  let telemetry: AgentTelemetry | null = null
  const settleTelemetry = async () => telemetry?.settle()
  const wake = () => {
    wakeRunner()
    changed()
    // The customer's setting may be what changed. On a full disk it is done before anything is sent.
    settleTelemetry().catch((error: unknown) =>
      log.warn('The telemetry spool could not be swept', { error: String(error) }),
    )
  }
  const problems = new Problems(clock, changed)
  const identity = openIdentity(state)
  const settings = openSettings(state, setup.customer)
  const audit = new AgentAudit(state)
  const store = createAgentStore({ state, audit, clock, view: settings.view, onChange: changed })
  const spool = new Spool({
    directory,
    sealer: state.sealer('spool'),
    clock,
    ...(options.spoolLimits && { limits: options.spoolLimits }),
  })
  closing.push(() => spool.close())
  const bundles = await BundleStore.open(join(directory, 'bundles'))
  const trust = openTrust(state, project, setup.root)
  // Where the setup names no place, it is beside the agent's own files.
  const environment = options.environment ?? {
    directory: join(directory, 'environment'),
    ...setup.deployment.environment,
  }
  const orders = openOrders({ state, store, audit, settings, setup, environment, clock, onApplied: wake })
  // What was reviewed at setup counts until the first order says more.
  if (!orders.current()) settings.takeOrdered(setup.customer)
  let commands: AgentCommands = noCommands
  let gateCommands: GateCommands | null = null
  const reporter = createReporter({
    state,
    store,
    audit,
    spool,
    settings,
    problems,
    setup,
    clock,
    version,
    startedAt,
    order: orders.current,
    commands: () => commands,
  })
  const platform = createLocalPlatform({
    ...options.platform,
    telemetry: (deployment) => options.platform?.telemetry?.(deployment) ?? telemetry?.target(deployment) ?? null,
  })
  const sync = await startSync({
    ...options.sync,
    ...{
      state,
      setup,
      identity,
      trust,
      orders,
      settings,
      reporter,
      problems,
      audit,
      store,
      clock,
      random,
      log,
      version,
    },
    commands: () => commands,
    wake,
  })
  const env = options.sync?.env ?? process.env
  telemetry = await startTelemetry({ state, spool, settings, setup, clock, random, log }, sync?.uplink ?? null, env)
  const taking = telemetry
  closing.push(() => void taking.stop())
  closing.push(() => void sync?.stop())
  const sources = createSources({
    directory,
    state,
    store,
    bundles,
    trust,
    identity,
    problems,
    clock,
    random,
    upstream: sync?.upstream ?? null,
    commands: () => gateCommands,
    webhooks: options.webhooks ?? true,
    onReady(deployment) {
      if (stopping) return
      store.touch(deployment)
      wakeRunner()
    },
  })
  const parts: AgentParts = {
    ...{
      directory,
      version,
      startedAt,
      clock,
      random,
      log,
      state,
      store,
      audit,
      spool,
      setup,
      identity,
      settings,
      orders,
    },
    ...{ sources, platform, problems, reporter, wake, changed, settleTelemetry },
    get commands() {
      return commands
    },
  }
  const running = startCommands(parts)
  closing.push(() => void running.stop())
  commands = running
  gateCommands = running.gates
  const site = openSite(parts)
  // Before the engine starts: it must see what was imported last, not what was asked before.
  await site.goOn()
  // With us the machine may have been started anew: what ran is looked at now, not when it was due.
  if (typeof store.look(id)?.wakeAt === 'number') store.touch(id)
  const runner = startRunner({
    ...{ store, platform, verifier: sources.verifier, config: sources.config, blobs: sources.blobs },
    ...{ metrics: sources.metrics, gates: sources.gates, clock, random, log, problems },
    deployment: id,
    owner: `agent:${randomUUID()}`,
    onRest: sources.tidy,
    ...(options.limits && { limits: options.limits }),
  })
  wakeRunner = runner.wake
  onChanged = () => sync?.changed()
  if (sync) sync.start()
  const stop = () => {
    stopping ??= (async () => {
      await taking.stop()
      await sync?.stop()
      await commands.stop()
      await runner.stop()
      await sources.settled()
      close()
    })()
    return stopping
  }
  return createAgent(parts, site, { sync: () => sync?.status() ?? null, stop })
}
