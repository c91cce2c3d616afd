import { setTimeout as sleep } from 'node:timers/promises'
import type { RolloutPlanInput } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalEngine } from './harness/local-engine.ts'

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
const canary: RolloutPlanInput = {
  strategy: 'canary',
  steps: [{ share: 30, bake: '1s' }],
  analysis: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 }],
}

let engine: LocalEngine
beforeAll(async () => {
  engine = await LocalEngine.start()
})
afterAll(() => engine.stop())

describe('the engine on the local platform, with real processes and real traffic', () => {
  it('brings the first release, a good one by its steps, takes a bad one back, and leaves nothing behind', {
    timeout: 90_000,
  }, async () => {
    const first = engine.release('1.0.0', source('1.0.0', 0), canary)
    const good = engine.release('1.1.0', source('1.1.0', 0), canary)
    const bad = engine.release('1.2.0', source('1.2.0', 5), canary)
    engine.want(first)
    const state = await engine.until(({ phase }) => phase === 'running')
    engine.use(state.workers.api?.url ?? '')

    engine.want(good)
    await engine.until(({ phase, stable }) => phase === 'running' && stable?.digest === good.digest)
    const shares = engine.events('traffic.routed').map(({ message }) => message)
    expect(shares.some((message) => message.includes('30% to'))).toBe(true)

    engine.want(bad)
    const back = await engine.until(({ phase, rejected }) => phase === 'running' && rejected.length === 1)
    expect(back).toMatchObject({ stable: good, candidate: null })
    expect(engine.events('rollout.aborted')[0]?.data).toMatchObject({
      evidence: { metric: 'error-rate', verdict: 'fail' },
    })
    const from = engine.answers.length
    await sleep(300)
    expect(new Set(engine.answers.slice(from).map(({ version }) => version))).toEqual(new Set(['1.1.0']))

    await engine.leave()
    // No request failed that the bad release did not itself answer wrongly.
    expect(engine.answers.filter(({ status, version }) => status !== 200 && version !== '1.2.0')).toEqual([])
    expect(engine.answers.filter(({ status }) => status === 500).length).toBeGreaterThan(0)

    engine.want(good, 'destroy')
    await engine.until(({ phase }) => phase === 'deleted')
    expect(await engine.processes()).toEqual([])
  })
})
