import type { Limits } from '../limits.ts'
import type { Desired, Target } from '../ports/desired.ts'
import { runDeployment } from '../run/run-deployment.ts'
import type { DeploymentState } from '../state/deployment-state.ts'
import { FaultGate } from './fault-gate.ts'
import { MemoryPlatform } from './memory-platform.ts'
import { MemorySources } from './memory-sources.ts'
import { MemoryStore } from './memory-store.ts'
import { seededRandom } from './seeded-random.ts'
import { SimClock } from './sim-clock.ts'

/** One deployment with its environment, its store and its sources in one process under one clock. */
export interface Simulation {
  clock: SimClock
  platform: MemoryPlatform
  store: MemoryStore
  sources: MemorySources
  state(): DeploymentState
  /** Sets parts of the desired; the generation goes up by itself. */
  want(patch: Partial<Omit<Desired, 'generation'>>): void
  /** Wants a target, with its release's setup approved. */
  wantTarget(target: Target | null, patch?: Partial<Desired>): void
  /** One claim, as a runner does it; through a gate with faults where given. Undefined when it was killed or is not due. */
  claim(gate?: FaultGate, untilMs?: number): Promise<string | undefined>
  /** The same without letting time pass: the run goes on as `clock` is advanced. */
  begin(gate?: FaultGate): Promise<string | undefined>
  /** Claims again and again, letting time pass, until `until` holds; throws after `maxMs` of simulated time. */
  settle(until?: (state: DeploymentState) => boolean, maxMs?: number): Promise<DeploymentState>
}

export const deploymentId = 'd1'

export function simulation(options: { seed?: number; limits?: Partial<Limits> } = {}): Simulation {
  const clock = new SimClock()
  const platform = new MemoryPlatform(clock)
  const store = new MemoryStore(clock)
  const sources = new MemorySources()
  const random = seededRandom(options.seed ?? 1)
  let owners = 0
  store.put({
    generation: 1,
    deployment: {
      id: deploymentId,
      name: 'first',
      project: 'shop',
      prefix: 'x',
      platform: 'local',
      model: 'push',
      environment: {},
    },
    operation: 'run',
    target: null,
    setup: null,
    controls: [],
    customer: { updates: 'automatic', access: 'granted', windows: [] },
    answers: [],
    policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
  })

  const want: Simulation['want'] = (patch) => {
    const before = store.current(deploymentId)
    store.put({ ...before, ...patch, generation: before.generation + 1 })
  }
  const state = () => store.state(deploymentId) ?? fail('nothing was persisted yet')
  const begin: Simulation['begin'] = async (gate = new FaultGate()) => {
    const outcome = await runDeployment({
      store: gate.through(store, 'store'),
      platform: gate.through(platform, 'platform'),
      verifier: gate.through<MemorySources>(sources, 'verifier'),
      config: gate.through(sources.config, 'config'),
      blobs: sources.blobs,
      metrics: sources.metrics,
      gates: gate.through(sources.gates, 'gates'),
      clock,
      random,
      log: { info() {}, warn() {} },
      owner: `runner-${++owners}`,
      signal: new AbortController().signal,
      ...(options.limits ? { limits: options.limits } : {}),
    })
    return outcome?.ended
  }
  const claim: Simulation['claim'] = (gate, untilMs) => clock.run(begin(gate), untilMs)
  const settle: Simulation['settle'] = async (until = isAtRest, maxMs = 3_600_000) => {
    const end = clock.now() + maxMs
    for (;;) {
      const outcome = await claim(new FaultGate(), 600_000)
      const persisted = store.state(deploymentId)
      const observed = persisted?.generation === store.current(deploymentId).generation
      if (persisted && observed && until(persisted)) return persisted
      if (clock.now() > end) return fail(`not reached: ${persisted?.phase} ${JSON.stringify(persisted?.reason)}`)
      const due = store.dueAt(deploymentId)
      if (!outcome || outcome === 'rests') await clock.advance(Math.max(50, Math.min(60_000, (due ?? 0) - clock.now())))
    }
  }
  return {
    clock,
    platform,
    store,
    sources,
    state,
    want,
    wantTarget: (target, patch = {}) =>
      want({ target, ...(target ? { setup: { release: target.release } } : {}), ...patch }),
    begin,
    claim,
    settle,
  }
}

function isAtRest(state: DeploymentState): boolean {
  return !['updating', 'returning', 'setting-up', 'deleting'].includes(state.phase)
}

function fail(message: string): never {
  throw new Error(message)
}
