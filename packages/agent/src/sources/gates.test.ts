import { expect, it } from 'vitest'
import { createAgentGates } from './gates.ts'

it('a site that asks no webhooks calls nobody, and says why the gate does not pass', async () => {
  const called: unknown[] = []
  const never = new Proxy({}, { get: (_, name) => called.push(name) }) as never
  const fetch = async (...given: unknown[]): Promise<Response> => {
    called.push(given)
    return new Response('{"status":"pass"}')
  }
  const gates = createAgentGates({
    ...{ store: never, verifier: never, identity: never, clock: { now: () => 0 }, random: { next: () => 0 } },
    ...{ fetch, commands: () => null, webhooks: false },
  })
  const context = { deployment: never, worker: 'api', rollout: 'r', version: 'v' }
  const answer = await gates.ask({ id: 'step-0.0', kind: 'webhook' } as Parameters<typeof gates.ask>[0], context)
  expect(answer).toMatchObject({ status: 'fail', message: expect.stringContaining('--no-webhooks') })
  expect(called).toEqual([])
})
