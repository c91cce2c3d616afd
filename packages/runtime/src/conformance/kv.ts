import assert from 'node:assert/strict'
import { all, awkwardKeys, byBytes, eventually, pass, refused } from './expect.ts'
import { type CaseContext, type ConformanceCase, conformanceResources } from './types.ts'

const items = ({ bindings }: CaseContext, collection = 'conformance') =>
  bindings.kv(conformanceResources.kv).collection(collection)

export const kvCases: ConformanceCase[] = [
  {
    name: 'kv: gives back what was set, of every kind of JSON',
    async run(context) {
      for (const value of [{ a: [1, { b: null }] }, 'text', '', 0, -1.5, true, false, null, [], {}]) {
        const key = context.unique('json')
        const { version } = await items(context).set(key, value)
        assert.deepEqual(await items(context).get(key), { value, version })
      }
    },
  },
  {
    name: 'kv: what is not there is undefined, and deleting it is no error',
    async run(context) {
      const key = context.unique('missing')
      assert.equal(await items(context).get(key), undefined)
      await items(context).delete(key)
      await items(context).set(key, 1)
      await items(context).delete(key)
      assert.equal(await items(context).get(key), undefined)
    },
  },
  {
    name: 'kv: any Unicode text is a key and a collection of its own',
    async run(context) {
      const name = context.unique('awkward')
      for (const key of awkwardKeys) await items(context, name).set(key, `value of ${key}`)
      for (const key of awkwardKeys) {
        assert.equal((await items(context, name).get(key))?.value, `value of ${key}`, JSON.stringify(key))
      }
      const listed = (await all(items(context, name).list())).map((one) => one.key)
      assert.deepEqual(listed, [...awkwardKeys].sort(byBytes))
      for (const key of awkwardKeys) await items(context, name + key).set('same', key)
      for (const key of awkwardKeys) assert.equal((await items(context, name + key).get('same'))?.value, key)
    },
  },
  {
    name: 'kv: collection and key are two things',
    async run(context) {
      const name = context.unique('split')
      await items(context, `${name}/a`).set('b', 1)
      await items(context, name).set('a/b', 2)
      assert.equal((await items(context, `${name}/a`).get('b'))?.value, 1)
      assert.equal((await items(context, name).get('a/b'))?.value, 2)
    },
  },
  {
    name: 'kv: refuses keys that no platform can hold',
    async run(context) {
      for (const key of ['', '.', '..', '\ud800', 'x'.repeat(513)]) {
        await refused('E_BINDING_KEY', items(context).set(key, 1))
      }
      await items(context).set('x'.repeat(512), 1)
    },
  },
  {
    name: 'kv: values up to 64 KiB, and no larger ones',
    async run(context) {
      const key = context.unique('large')
      // Two bytes are the quotes.
      const largest = 'x'.repeat(64 * 1024 - 2)
      await items(context).set(key, largest)
      assert.equal((await items(context).get(key))?.value, largest)
      await refused('E_TOO_LARGE', items(context).set(key, `${largest}x`))
      assert.equal((await items(context).get(key))?.value, largest)
    },
  },
  {
    name: 'kv: a value is gone after its time, for reads, lists and ifAbsent',
    async run(context) {
      const name = context.unique('ttl')
      await items(context, name).set('short', 1, { ttl: '1s' })
      await items(context, name).set('long', 2, { ttl: '1h' })
      await items(context, name).set('renewed', 3, { ttl: '1s' })
      await items(context, name).set('renewed', 4)
      await pass(context, 1_000)
      await eventually('the value is gone', async () => (await items(context, name).get('short')) === undefined)
      const left = (await all(items(context, name).list())).map((one) => one.key)
      assert.deepEqual(left, ['long', 'renewed'])
      await items(context, name).set('short', 5, { ifAbsent: true })
      assert.equal((await items(context, name).get('renewed'))?.value, 4)
    },
  },
  {
    name: 'kv: ifAbsent makes a value once',
    async run(context) {
      const key = context.unique('once')
      await items(context).set(key, 'first', { ifAbsent: true })
      await refused('E_PRECONDITION_FAILED', items(context).set(key, 'second', { ifAbsent: true }))
      assert.equal((await items(context).get(key))?.value, 'first')
    },
  },
  {
    name: 'kv: ifVersion writes and deletes only what was read',
    async run(context) {
      const key = context.unique('version')
      const { version: first } = await items(context).set(key, 1)
      const { version: second } = await items(context).set(key, 2, { ifVersion: first })
      assert.notEqual(first, second)
      await refused('E_PRECONDITION_FAILED', items(context).set(key, 3, { ifVersion: first }))
      await refused('E_PRECONDITION_FAILED', items(context).delete(key, { ifVersion: first }))
      await refused('E_PRECONDITION_FAILED', items(context).set(context.unique('none'), 1, { ifVersion: second }))
      assert.equal(await items(context).delete(key, { ifVersion: second }), true)
    },
  },
  {
    name: 'kv: a version does not come back after a delete',
    async run(context) {
      const key = context.unique('aba')
      const { version: before } = await items(context).set(key, 'same')
      await items(context).delete(key)
      const { version: after } = await items(context).set(key, 'same')
      assert.notEqual(before, after)
      await refused('E_PRECONDITION_FAILED', items(context).set(key, 'late', { ifVersion: before }))
    },
  },
  {
    name: 'kv: of 20 that write at once on the same version, exactly one wins',
    async run(context) {
      const key = context.unique('race')
      const { version } = await items(context).set(key, -1)
      const writes = Array.from({ length: 20 }, (_, i) => items(context).set(key, i, { ifVersion: version }))
      const winners = (await Promise.allSettled(writes)).flatMap((one, i) => (one.status === 'fulfilled' ? [i] : []))
      assert.equal(winners.length, 1)
      assert.equal((await items(context).get(key))?.value, winners[0])
      const first = context.unique('race-absent')
      const makes = Array.from({ length: 20 }, (_, i) => items(context).set(first, i, { ifAbsent: true }))
      assert.equal((await Promise.allSettled(makes)).filter((one) => one.status === 'fulfilled').length, 1)
    },
  },
  {
    name: 'kv: a counter of compare-and-set loses nothing',
    async run(context) {
      const key = context.unique('counter')
      await items(context).set(key, 0)
      const add = async () => {
        for (;;) {
          const item = await items(context).get(key)
          if (!item) throw new Error('the counter is gone')
          try {
            return await items(context).set(key, Number(item.value) + 1, { ifVersion: item.version })
          } catch (error) {
            if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'E_PRECONDITION_FAILED') throw error
          }
        }
      }
      await Promise.all(Array.from({ length: 10 }, add))
      assert.equal((await items(context).get(key))?.value, 10)
    },
  },
  {
    name: 'kv: lists in order of bytes, page by page, only below the prefix',
    async run(context) {
      const name = context.unique('list')
      const keys = Array.from({ length: 25 }, (_, i) => `p/${String((i * 7) % 25).padStart(2, '0')}`)
      await Promise.all([...keys, 'p', 'p0', 'q/0'].map((key) => items(context, name).set(key, { key })))
      const listed = await all(items(context, name).list({ prefix: 'p/', pageSize: 4 }))
      assert.deepEqual(
        listed.map((one) => one.key),
        [...keys].sort(byBytes),
      )
      for (const one of listed) {
        assert.deepEqual(one.value, { key: one.key })
        assert.equal(one.version, (await items(context, name).get(one.key))?.version)
      }
    },
  },
  {
    name: 'kv: a worker that may only read can not write or delete',
    async run(context) {
      const key = context.unique('read-only')
      await items(context).set(key, 'mine')
      const reader = context.readOnly.kv(conformanceResources.kv).collection('conformance')
      assert.equal((await reader.get(key))?.value, 'mine')
      await refused('E_NOT_GRANTED', reader.set(key, 'yours'))
      await refused('E_NOT_GRANTED', reader.delete(key))
      assert.equal((await items(context).get(key))?.value, 'mine')
    },
  },
]
