import type { RolloutPlanInput } from '@landfall/stack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalEngine } from './harness/local-engine.ts'

/** A worker that answers with its version and misbehaves as the extra code says. */
const source = (version: string, extra = '', sigterm = "process.on('SIGTERM', () => process.exit(0))") => `
import { createServer } from 'node:http'
createServer((request, response) => response.end(request.url === '/healthz' ? 'ok' : '${version}')).listen(Number(process.env.PORT), '127.0.0.1')
${sigterm}
${extra}
`
const plan: RolloutPlanInput = { strategy: 'canary', steps: [{ share: 50, bake: '25s' }], progressDeadline: '60s' }

let engine: LocalEngine
let stable: ReturnType<LocalEngine['release']>
beforeAll(async () => {
  engine = await LocalEngine.start()
  stable = engine.release('1.0.0', source('1.0.0'), plan)
  engine.want(stable)
  const state = await engine.until(({ phase }) => phase === 'running')
  engine.use(state.workers.api?.url ?? '', 2)
})
afterAll(() => engine.stop())

/** What became of a release that must not stay: code and words of the refusal. */
async function refused(target: ReturnType<LocalEngine['release']>) {
  engine.want(target)
  const state = await engine.until(
    ({ phase, rejected }) => phase === 'running' && rejected.some((one) => one.target === target.digest),
  )
  expect(state).toMatchObject({ stable, candidate: null })
  return state.rejected.find((one) => one.target === target.digest)
}

describe('a candidate that', () => {
  it('crashes after ten seconds of serving goes back before its bake is over, and stable answers on', async () => {
    const verdict = await refused(
      engine.release('1.1.0', source('1.1.0', 'setTimeout(() => process.exit(7), 10_000)'), plan),
    )
    expect(verdict?.code).toMatch(/CRASH/)
    expect(verdict?.message).toMatch(/exit|crash|code 7/i)
  }, 90_000)

  it('never becomes healthy goes back as soon as that is known, and served nobody', async () => {
    const verdict = await refused(
      engine.release(
        '1.2.0',
        "import { createServer } from 'node:http'\ncreateServer((_, response) => { response.statusCode = 503; response.end() }).listen(Number(process.env.PORT), '127.0.0.1')",
        plan,
      ),
    )
    expect(verdict?.code).toMatch(/START|HEALTH/)
    expect(engine.answers.filter(({ version }) => version === '1.2.0')).toEqual([])
  }, 60_000)

  it('floods its output and ignores SIGTERM hurts nobody, and is killed when it is taken back', async () => {
    const flood = source(
      '1.3.0',
      "setInterval(() => { for (let n = 0; n < 2000; n++) console.log('x'.repeat(500)) }, 10)",
      "process.on('SIGTERM', () => {})",
    )
    const target = engine.release('1.3.0', flood, plan, { gracePeriod: '1s' })
    engine.want(target)
    await engine.until(() => engine.answers.some(({ version }) => version === '1.3.0'))
    const before = await engine.processes()
    engine.want(stable)
    await engine.until(({ phase, candidate }) => phase === 'running' && candidate === null)
    expect((await engine.processes()).length).toBeLessThan(before.length)
  }, 60_000)

  it('of all requests, none was lost that the candidate itself did not lose', async () => {
    await engine.leave()
    const failed = engine.answers.filter(({ status }) => status !== 200)
    const lostByCrash = failed.filter(({ version, status }) => status !== 502 && version !== '1.1.0')
    expect(lostByCrash).toEqual([])
    // A crash cuts off what it was answering: at most one request a user and crash.
    expect(failed.length).toBeLessThanOrEqual(10)
    expect(engine.answers.filter(({ status }) => status === 200).length).toBeGreaterThan(500)
  })
})
