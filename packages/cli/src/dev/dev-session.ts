import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Desired, type EngineEvent, runDeployment } from '@landfall/engine'
import { createLocalPlatform, stopHost } from '@landfall/platform-local'
import { digestOf, LandfallError } from '@landfall/stack'
import { createDevConfig, type DevValues } from './dev-config.ts'
import { createReleaser, type DevRelease } from './dev-release.ts'
import { DevStore } from './dev-store.ts'
import { followLogs } from './follow-logs.ts'
import { watchSources } from './watch-sources.ts'

export type DevEvent =
  | { kind: 'building'; because: string }
  | { kind: 'serving'; version: string; milliseconds: number; urls: Record<string, string> }
  | { kind: 'refused'; error: LandfallError }
  | { kind: 'made-up-secret'; name: string }
  | { kind: 'engine'; event: EngineEvent }
  | { kind: 'log'; worker: string; line: string }

/** Looks are frequent, because a person waits; nothing else runs here. */
const limits = { rolloutTickMs: 50, steadyMs: 2_000, lingerMs: 100, backoffBaseMs: 100, backoffMaxMs: 2_000 }

/**
 * Runs a project on the local platform until the signal: builds, signs and brings what is saved through the same engine as
 * a real deployment. The environment and its data stay in `.landfall/dev` for the next time.
 */
export async function runDev(
  directory: string,
  values: DevValues,
  signal: AbortSignal,
  tell: (event: DevEvent) => void,
): Promise<void> {
  const home = join(directory, '.landfall', 'dev')
  const environment = join(home, 'environment')
  await mkdir(home, { recursive: true })
  const store = new DevStore(join(home, 'state.json'), (event) => tell({ kind: 'engine', event }))
  const before = await store.open()
  const releaser = await createReleaser(directory)
  const config = createDevConfig(values)
  const clock = {
    now: Date.now,
    sleep: (ms: number, stop?: AbortSignal) => sleep(ms, undefined, stop && { signal: stop }),
  }
  const platform = createLocalPlatform()
  const changes = new Wake()
  let generation = before?.generation ?? 0
  let number = 0
  let last: DevRelease | null = null
  let because = 'the first time'
  const told = new Set<string>()
  const followed = new Set<string>()

  const bring = async (): Promise<void> => {
    const started = Date.now()
    tell({ kind: 'building', because })
    const release = await releaser.make(++number)
    if (last && release.artifacts === last.artifacts) return
    last = release
    const { config: resolved, madeUp } = config.resolve(release.manifest)
    for (const name of madeUp.filter((one) => !told.has(one))) {
      told.add(name)
      tell({ kind: 'made-up-secret', name })
    }
    const desired = desiredOf(release, resolved.digest, environment, ++generation)
    store.ask(desired)
    for (const { name, type } of release.manifest.resources) {
      if ((type !== 'worker' && type !== 'container') || followed.has(name)) continue
      followed.add(name)
      void followLogs(platform, desired.deployment, name, signal, (line) => tell({ kind: 'log', worker: name, line }))
    }
    await settle(desired)
    const urls = Object.fromEntries(
      Object.entries(store.state?.workers ?? {}).flatMap(([name, worker]) => (worker.url ? [[name, worker.url]] : [])),
    )
    if (store.state?.stable?.release === release.digest)
      tell({ kind: 'serving', version: release.version, milliseconds: Date.now() - started, urls })
    else tell({ kind: 'refused', error: notServing(store) })
  }

  /** Works until the deployment rests on what was asked, has given up on it, or something newer was saved. */
  const settle = async (desired: Desired): Promise<void> => {
    while (!signal.aborted) {
      await runDeployment({
        store,
        platform,
        verifier: releaser.verifier,
        config: config.source,
        blobs: releaser.blobs,
        metrics: { read: async () => null },
        gates: { ask: async () => ({ status: 'pass' }) },
        clock,
        random: { next: Math.random },
        log: { info: () => {}, warn: () => {} },
        owner: `dev-${process.pid}`,
        limits,
        signal,
      })
      const state = store.state
      if (state?.stable?.release === desired.target?.release && state?.phase === 'running') return
      if (state?.phase === 'failed' || state?.rejected.some((one) => one.target === desired.target?.digest)) return
      if (changes.pending) return
      await changes.wait(100)
    }
  }

  const stopWatching = watchSources(directory, 30, (path) => {
    because = path
    changes.ring()
  })
  try {
    while (!signal.aborted) {
      changes.take()
      await bring().catch((error: unknown) => {
        if (signal.aborted) return
        if (!LandfallError.is(error)) throw error
        tell({ kind: 'refused', error })
      })
      while (!signal.aborted && !changes.pending) await changes.wait(1_000)
    }
  } finally {
    stopWatching()
    await stopHost(refOf('dev', environment))
  }
}

function desiredOf(release: DevRelease, config: string, directory: string, generation: number): Desired {
  const target = { release: release.digest, config, digest: digestOf({ release: release.digest, config }) }
  const project = release.manifest.project
  return {
    generation,
    deployment: refOf(project, directory),
    operation: 'run',
    target,
    setup: { release: release.digest },
    controls: [],
    customer: { updates: 'automatic', access: 'granted', windows: [] },
    answers: [],
    policy: { drift: 'correct', windowClose: 'finish', trustedKeys: ['vendor'] },
  }
}

function refOf(project: string, directory: string): Desired['deployment'] {
  return {
    id: 'dep_development',
    name: 'dev',
    project,
    prefix: `${project}-dev`,
    platform: 'local',
    model: 'push',
    environment: { directory },
  }
}

function notServing(store: DevStore): LandfallError {
  const state = store.state
  const refused = state?.rejected.at(-1)
  return new LandfallError({
    code: refused?.code ?? state?.reason.code ?? 'E_DEV_NOT_SERVING',
    message: refused?.message ?? state?.reason.message ?? 'What was saved does not serve.',
    hint: 'What served before goes on serving. Mend it and save again.',
  })
}

/** Wakes up whoever waits; a ring before the wait is not lost. */
class Wake {
  pending = false
  #resolve: (() => void) | null = null

  ring(): void {
    this.pending = true
    this.#resolve?.()
  }

  take(): void {
    this.pending = false
  }

  async wait(ms: number): Promise<void> {
    if (this.pending) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#resolve = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
