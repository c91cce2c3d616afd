import { bindingConformance, conformanceResources, type Delivery } from '@landfall/runtime/conformance'
import { afterAll, describe, test } from 'vitest'
import { soon, TestEnvironment } from '../../testing/environment.ts'
import { Invocations } from '../../testing/invocations.ts'
import { hello, relay } from '../../testing/sources.ts'

/** Two real workers hold the grants; a third, the consumer, hands its deliveries to the test. */
const suite = bindingConformance(async () => {
  const { storage, kv, queue, secret, ungranted } = conformanceResources
  const environment = await TestEnvironment.open()
  const invocations = new Invocations()
  const testUrl = await invocations.listen()
  const secretValue = 'the-secret-value'
  environment.config = {
    ...environment.config,
    secrets: { [secret]: { version: 1 } },
    openSecret: async () => secretValue,
  }
  await environment.ensure({ type: 'storage', name: storage })
  await environment.ensure({ type: 'kv', name: kv })
  await environment.ensure({ type: 'queue', name: queue, visibilityTimeout: '1s', maxDeliveries: 3 })
  await environment.ensure({ type: 'secret', name: secret, providedBy: 'customer' })
  await environment.ensure({ type: 'kv', name: ungranted })
  const environmentOf = async (name: string, uses: unknown[]) => {
    const worker = environment.worker(hello(name), { name, uses })
    const { url } = await environment.serve(worker, '1.0.0')
    return (await (await fetch(`${url}/env`)).json()) as Record<string, string>
  }
  const env = await environmentOf('writer', [
    { resource: storage, access: ['read', 'write'] },
    { resource: kv, access: ['read', 'write'] },
    { resource: queue, access: ['send'] },
    { resource: secret, access: ['read'] },
  ])
  const readOnlyEnv = await environmentOf('reader', [
    { resource: storage, access: ['read'] },
    { resource: kv, access: ['read'] },
  ])
  const consumer = environment.worker(relay, {
    name: 'consumer',
    env: { TEST_URL: testUrl },
    triggers: [{ kind: 'queue', queue, concurrency: 50 }],
  })
  await environment.serve(consumer, '1.0.0')

  async function* received(): AsyncGenerator<Delivery> {
    for (;;) {
      const { invocation, answer } = await invocations.next()
      if (invocation.kind !== 'queue') continue
      const { id, attempt, body, contentType } = invocation.message
      yield {
        ...{ id, attempt, contentType, body: Buffer.from(body, 'base64') },
        ack: async () => answer({ done: true }),
        fail: async () => answer({ error: { code: 'E_TEST', message: 'asked to fail' } }),
      }
    }
  }
  return {
    ...{ env, readOnlyEnv, secretValue, received },
    async deadLetters(name) {
      const letters = await environment.platform.deadLetters(environment.deployment, name, soon())
      return letters.map(({ id, body }) => ({ id, body: Buffer.from(body, 'base64') }))
    },
    async close() {
      invocations.close()
      await environment.close()
    },
  }
})

describe('local bindings keep what every platform promises', () => {
  for (const { name, run } of suite.cases) test(name, run, 30_000)
  afterAll(() => suite.close())
})
