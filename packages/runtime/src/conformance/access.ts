import assert from 'node:assert/strict'
import { connect } from '../bindings/connect.ts'
import { refused } from './expect.ts'
import { type ConformanceCase, conformanceResources } from './types.ts'

export const accessCases: ConformanceCase[] = [
  {
    name: 'secret: gives the value',
    async run({ bindings, secretValue }) {
      assert.equal(await bindings.secret(conformanceResources.secret).get(), secretValue)
    },
  },
  {
    name: 'access: what a worker does not use is not bound, and the error says what to add',
    async run({ bindings, readOnly }) {
      for (const type of ['storage', 'kv', 'queue', 'secret', 'worker'] as const) {
        await refused('E_NOT_BOUND', (async () => bindings[type](conformanceResources.ungranted))())
      }
      await refused('E_NOT_BOUND', (async () => readOnly.queue(conformanceResources.queue))())
      await refused('E_NOT_BOUND', (async () => readOnly.secret(conformanceResources.secret))())
    },
  },
  {
    name: "access: another worker's address is refused without its grant",
    async run({ env, readOnlyEnv }) {
      // The reader learns the writer's addresses, as code that was broken into could.
      const stolen = connect({ LANDFALL_BINDINGS: env.LANDFALL_BINDINGS, LANDFALL_TOKEN: readOnlyEnv.LANDFALL_TOKEN })
      await refused('E_NOT_GRANTED', stolen.queue(conformanceResources.queue).send('x'))
      await refused('E_NOT_GRANTED', stolen.secret(conformanceResources.secret).get())
      await refused('E_NOT_GRANTED', stolen.kv(conformanceResources.kv).collection('c').set('k', 1))
    },
  },
  {
    name: 'access: a wrong token opens nothing',
    async run({ env, secretValue }) {
      const stranger = connect({ LANDFALL_BINDINGS: env.LANDFALL_BINDINGS, LANDFALL_TOKEN: 'wrong' })
      for (const call of [
        () => stranger.secret(conformanceResources.secret).get(),
        () => stranger.storage(conformanceResources.storage).get('x'),
        () => stranger.kv(conformanceResources.kv).collection('c').get('k'),
        () => stranger.queue(conformanceResources.queue).send('x'),
      ]) {
        const error: unknown = await call().then(
          () => assert.fail('a wrong token was accepted'),
          (caught: unknown) => caught,
        )
        assert.ok(error instanceof Error)
        assert.ok(!error.message.includes(secretValue))
        assert.ok(['E_NOT_GRANTED', 'E_UNAUTHORIZED', 'E_BINDING_REFUSED'].includes(String(Reflect.get(error, 'code'))))
      }
    },
  },
]
