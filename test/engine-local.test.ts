import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRunner, type DeploymentState, type Desired, type Target } from '@landfall/engine'
import { MemorySources, MemoryStore } from '@landfall/engine/testing'
import { createLocalPlatform } from '@landfall/platform-local'
import { manifest, sha256 } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { markedProcesses } from '../packages/platforms/local/src/host/supervisor/process-table.ts'
import { areaMarker } from '../packages/platforms/local/src/shared/places.ts'
import { pack } from '../packages/platforms/local/src/testing/pack.ts'

/** A worker that answers with its version; every `failEvery`th request is answered with 500 (0: none). */
const source = (version: string, failEvery: number) => `
import { createServer } from 'node:http'
let count = 0
const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok')
  if (${failEvery} > 0 && ++count % ${failEvery} === 0) response.statusCode = 500
  response.end('${version}')
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections() })
`

const clock = {
  now: Date.now,
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal && { signal }),
}
const id = 'dep_engine_local'
const blobs = new Map<string, Uint8Array>()
const sources = new MemorySources()
const store = new MemoryStore(clock)
const answers: { status: number; version: string }[] = []
const traffic = new AbortController()
let directory = ''
let generation = 0

const runner = createRunner({
  store,
  platform: createLocalPlatform({ clock }),
  verifier: sources,
  config: sources.config,
  blobs: {
    read: async (digest) => {
      const bytes = blobs.get(digest)
      if (!bytes) throw new Error(`no blob ${digest}`)
      return bytes
    },
  },
  metrics: sources.metrics,
  gates: sources.gates,
  clock,
  random: { next: Math.random },
  log: { info() {}, warn() {} },
  owner: 'test',
  concurrency: 1,
  idleMs: 50,
  limits: { rolloutTickMs: 100, lingerMs: 2_000 },
})

function release(version: string, sequence: number, failEvery: number): Target {
  const { digest, bytes } = pack({ 'index.mjs': source(version, failEvery) })
  blobs.set(digest, bytes)
  expect(sha256(bytes)).toBe(digest)
  const parsed = manifest.parse({
    schema: 'landfall.dev/manifest/v1',
    project: 'shop',
    platforms: ['local'],
    resources: [
      {
        type: 'worker',
        name: 'api',
        lifecycle: 'live',
        public: true,
        code: { kind: 'artifact', digest, mediaType: 'application/vnd.oci.image.layer.v1.tar', size: bytes.length },
        health: { interval: '100ms' },
        uses: [{ resource: 'files', access: ['read'] }],
        rollout: {
          strategy: 'canary',
          steps: [{ share: 30, bake: '1s' }],
          analysis: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 }],
        },
      },
      { type: 'storage', name: 'files', lifecycle: 'frozen' },
    ],
  })
  return sources.release(version, sequence, parsed)
}

function want(target: Target, operation: Desired['operation'] = 'run'): void {
  store.put({
    generation: ++generation,
    deployment: {
      id,
      name: 'local',
      project: 'shop',
      prefix: 'shop-local',
      platform: 'local',
      model: 'push',
      environment: { directory },
    },
    operation,
    target,
    setup: { release: target.release },
    controls: [],
    gates: {},
    policy: { drift: 'report', windowClose: 'finish', trustedKeys: ['vendor'] },
  })
  runner.wake()
}

/** Waits for what must come; the test's own limit ends a wait in vain. */
async function until(holds: (state: DeploymentState) => boolean): Promise<DeploymentState> {
  for (;;) {
    const state = store.state(id)
    if (state && state.generation === generation && holds(state)) return state
    await sleep(50)
  }
}

/** Users: a few at once, without a pause worth the name, until the end. */
async function use(url: string): Promise<void> {
  while (!traffic.signal.aborted) {
    const response = await fetch(url).catch(() => null)
    answers.push(response ? { status: response.status, version: await response.text() } : { status: 0, version: '' })
    await sleep(5)
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-engine-'))
  runner.start()
})

afterAll(async () => {
  traffic.abort()
  await runner.stop()
  await rm(directory, { recursive: true, force: true })
})

describe('the engine on the local platform, with real processes and real traffic', () => {
  const first = release('1.0.0', 1, 0)
  const good = release('1.1.0', 2, 0)
  const bad = release('1.2.0', 3, 5)

  it('brings the first release, a good one by its steps, takes a bad one back, and leaves nothing behind', {
    timeout: 90_000,
  }, async () => {
    want(first)
    const state = await until(({ phase }) => phase === 'running')
    const url = state.workers.api?.url ?? ''
    const users = Array.from({ length: 4 }, () => use(url))

    want(good)
    await until(({ phase, stable }) => phase === 'running' && stable?.digest === good.digest)
    const shares = store
      .events(id)
      .filter(({ type }) => type === 'traffic.routed')
      .map(({ message }) => message)
    expect(shares.some((message) => message.includes('30% to'))).toBe(true)

    want(bad)
    const back = await until(({ phase, rejected }) => phase === 'running' && rejected.length === 1)
    expect(back).toMatchObject({ stable: good, candidate: null })
    const aborted = store.events(id).find(({ type }) => type === 'rollout.aborted')
    expect(aborted?.data).toMatchObject({ evidence: { metric: 'error-rate', verdict: 'fail' } })
    const from = answers.length
    await sleep(300)
    expect(new Set(answers.slice(from).map(({ version }) => version))).toEqual(new Set(['1.1.0']))

    traffic.abort()
    await Promise.all(users)
    // No request failed that the bad release did not itself answer wrongly.
    expect(answers.filter(({ status, version }) => status !== 200 && version !== '1.2.0')).toEqual([])
    expect(answers.filter(({ status }) => status === 500).length).toBeGreaterThan(0)

    want(good, 'destroy')
    await until(({ phase }) => phase === 'deleted')
    expect(await markedProcesses(areaMarker(directory))).toEqual([])
  })
})
