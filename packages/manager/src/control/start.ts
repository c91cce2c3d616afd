import { createReleaseCheck } from '@landfall/engine'
import { ChangeFeed } from '../changes/feed.ts'
import { currentOf } from '../commands/current-of.ts'
import { startExecutor } from '../commands/executor.ts'
import { storeVerifier } from '../store/releases/verifier.ts'
import { createConfigSource } from '../store/targets/config-source.ts'
import { Days } from '../telemetry/days.ts'
import { Forwarding } from '../telemetry/forward/forwarding.ts'
import { Intake } from '../telemetry/intake.ts'
import { createMetricSource } from '../telemetry/metric-source.ts'
import { Senders } from '../telemetry/senders.ts'
import { allBlobs } from './all-blobs.ts'
import type { Control, ControlDeps } from './control.ts'
import { nudgeRollout, startFleetLoops } from './fleet-loops.ts'
import { createManagerGates } from './gate-runner.ts'
import { startLoop } from './loop.ts'
import { startMaintenance } from './maintenance.ts'
import { controlMetrics } from './metrics-text.ts'
import { platformNamesOf, platformOf, startPushRunner } from './push-runner.ts'
import { createStateStore } from './store/state-store.ts'
import { createWaker, type Waker } from './waker.ts'

const unhealthyAfterMs = 60_000

/**
 * Starts everything in a manager that acts by itself: the push runner, the fleet controller, commands, the change feed, telemetry,
 * checkpoints, retention. Any number of managers may do so over one database.
 *
 * @param deps.waker the process's waker, if it has one already; it is stopped by whoever made it
 */
export function startControl(deps: ControlDeps & { waker?: Waker }): Control {
  const { db, clock, log, keyring, platforms, owner } = deps
  const waker = deps.waker ?? createWaker(deps)
  const scope = { models: deps.models ?? (['push'] as const), platforms: platformNamesOf(platforms) }
  const verifier = deps.verifier ?? storeVerifier(db, clock)
  const nudge = (rollout: string) =>
    nudgeRollout(db, rollout)
      .then(() => waker.wake('rollouts'))
      .catch(() => {
        // The rollout looks by itself, some seconds later.
      })
  const store = createStateStore({
    ...scope,
    db,
    clock,
    onPersist: (persisted) => {
      waker.wake('changes')
      if (persisted.nudge !== null) void nudge(persisted.nudge)
    },
  })
  const gates = createManagerGates({
    db,
    keyring,
    verifier,
    clock,
    random: deps.random,
    onCommand: () => waker.wake('commands', 'changes'),
  })
  const { runner, counts } = startPushRunner({
    store,
    verifier,
    platforms,
    config: deps.config ?? createConfigSource(db, keyring),
    blobs: deps.blobs ?? allBlobs(db),
    metrics: deps.metrics ?? createMetricSource({ db, clock }),
    gates: deps.gates ?? gates,
    clock,
    random: deps.random,
    log,
    owner,
    concurrency: deps.concurrency ?? 64,
    ...(deps.limits ? { limits: deps.limits } : {}),
  })
  const executor = startExecutor({
    ...deps,
    scope,
    concurrency: deps.commandConcurrency ?? 16,
    leaseMs: 15_000,
    invokerOf: (command) => platformOf(platforms, command.deployment).invoker,
    check: createReleaseCheck(verifier, (deployment) => currentOf(db, deployment.id)),
    onChange: () => waker.wake('changes'),
  })
  const changes = new ChangeFeed({ db, clock, log })
  const days = new Days(db)
  const forwarding = new Forwarding(deps)
  const telemetry = new Intake({ db, clock, days, forwarding, senders: new Senders(db, clock) })
  const fleet = startFleetLoops({ db, clock, log, waker, offlineAfterMs: deps.offlineAfterMs })
  const feed = startLoop({
    name: 'change-feed',
    intervalMs: 1_000,
    clock,
    log,
    work: async () => {
      await changes.poll()
      return false
    },
  })
  const maintenance = startMaintenance({ db, clock, log, keyring, days, forwarding, telemetry })
  const stopListening = [
    waker.on('deployments', () => runner.wake()),
    waker.on('rollouts', () => {
      for (const loop of fleet) loop.wake()
    }),
    waker.on('commands', () => executor.wake()),
    waker.on('changes', () => feed.wake()),
  ]
  const loops = [...fleet, ...executor.loops, feed, ...maintenance]
  const running = () => ({ deployments: runner.active, commands: executor.active })
  const startedAt = clock.now()
  return {
    changes,
    telemetry,
    wake: (...about) => waker.wake(...about),
    health: () => {
      const now = clock.now()
      const stuck = ({ health }: (typeof loops)[number]) =>
        health.lastError !== null && now - (health.lastSuccessAt ?? startedAt) > unhealthyAfterMs
      return { ok: !loops.some(stuck), loops: loops.map((loop) => loop.health), running: running() }
    },
    metricsText: () =>
      controlMetrics({
        loops: loops.map((loop) => loop.health),
        runs: counts,
        running: running(),
        telemetry,
        forwarding,
        feedReaders: changes.listeners,
      }),
    stop: async () => {
      for (const stop of stopListening) stop()
      await Promise.all([runner.stop(), executor.stop(), ...fleet.map((loop) => loop.stop()), telemetry.close()])
      await Promise.all([feed, ...maintenance].map((loop) => loop.stop()))
      await forwarding.close()
      if (!deps.waker) await waker.stop()
    },
  }
}
