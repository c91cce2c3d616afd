import assert from 'node:assert/strict'
import { all, awkwardKeys, byBytes, refused } from './expect.ts'
import { type CaseContext, type ConformanceCase, conformanceResources } from './types.ts'

const files = ({ bindings }: CaseContext) => bindings.storage(conformanceResources.storage)

export const storageCases: ConformanceCase[] = [
  {
    name: 'storage: gives back what was put, with type, size and tag',
    async run(context) {
      const key = context.unique('round-trip')
      const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256)
      const { etag } = await files(context).put(key, bytes, { contentType: 'application/x-test' })
      const object = await files(context).get(key)
      assert.ok(object)
      assert.equal(object.etag, etag)
      assert.equal(object.size, bytes.byteLength)
      assert.equal(object.contentType, 'application/x-test')
      assert.deepEqual(new Uint8Array(await object.bytes()), bytes)
      const head = await files(context).head(key)
      assert.equal(head?.etag, etag)
      assert.equal(head?.size, bytes.byteLength)
    },
  },
  {
    name: 'storage: takes text, JSON, streams and nothing at all',
    async run(context) {
      const key = context.unique('forms')
      await files(context).put(key, 'gräße')
      assert.equal(await (await files(context).get(key))?.text(), 'gräße')
      await files(context).put(key, { json: { a: [1] } })
      const json = await files(context).get(key)
      assert.equal(json?.contentType, 'application/json')
      assert.deepEqual(await json?.json(), { a: [1] })
      const chunk = new Uint8Array(100_000).fill(7)
      let left = 20
      const stream = new ReadableStream<Uint8Array>({
        pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
      })
      await files(context).put(key, stream)
      assert.equal((await files(context).head(key))?.size, 2_000_000)
      await files(context).put(key, new Uint8Array())
      const empty = await files(context).get(key)
      assert.equal(empty?.size, 0)
      assert.equal((await empty?.bytes())?.byteLength, 0)
    },
  },
  {
    name: 'storage: a put that breaks off leaves what was there',
    async run(context) {
      const key = context.unique('broken')
      await files(context).put(key, 'whole')
      let sent = false
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent) return controller.error(new Error('broken'))
          sent = true
          controller.enqueue(new Uint8Array(1000))
        },
      })
      await assert.rejects(files(context).put(key, stream))
      assert.equal(await (await files(context).get(key))?.text(), 'whole')
    },
  },
  {
    name: 'storage: what is not there is undefined, and deleting it is no error',
    async run(context) {
      const key = context.unique('missing')
      assert.equal(await files(context).get(key), undefined)
      assert.equal(await files(context).head(key), undefined)
      await files(context).delete(key)
      await files(context).put(key, 'x')
      await files(context).delete(key)
      assert.equal(await files(context).get(key), undefined)
    },
  },
  {
    name: 'storage: any Unicode text is a key of its own',
    async run(context) {
      const prefix = `${context.unique('keys')}/`
      for (const key of awkwardKeys) await files(context).put(prefix + key, `value of ${key}`)
      for (const key of awkwardKeys) {
        assert.equal(await (await files(context).get(prefix + key))?.text(), `value of ${key}`, JSON.stringify(key))
      }
      const listed = (await all(files(context).list({ prefix }))).map((one) => one.key)
      assert.deepEqual(listed, awkwardKeys.map((key) => prefix + key).sort(byBytes))
    },
  },
  {
    name: 'storage: an object and what looks like its folder live side by side',
    async run(context) {
      const key = context.unique('folder')
      await files(context).put(key, 'file')
      await files(context).put(`${key}/inside`, 'inside')
      assert.equal(await (await files(context).get(key))?.text(), 'file')
      await files(context).delete(key)
      assert.equal(await (await files(context).get(`${key}/inside`))?.text(), 'inside')
    },
  },
  {
    name: 'storage: keys of 1024 bytes, and no longer ones',
    async run(context) {
      const prefix = `${context.unique('long')}/`
      // Two bytes each, and one more where the prefix is odd.
      const rest = 1024 - Buffer.byteLength(prefix)
      const key = prefix + 'é'.repeat(Math.floor(rest / 2)) + 'x'.repeat(rest % 2)
      await files(context).put(key, 'long')
      assert.equal(await (await files(context).get(key))?.text(), 'long')
      assert.deepEqual(
        (await all(files(context).list({ prefix }))).map((one) => one.key),
        [key],
      )
      await refused('E_BINDING_KEY', files(context).put('x'.repeat(1025), 'longer'))
    },
  },
  {
    name: 'storage: refuses keys that no platform can hold',
    async run(context) {
      for (const key of ['', '.', '..', '\ud800']) await refused('E_BINDING_KEY', files(context).put(key, 'x'))
    },
  },
  {
    name: 'storage: ifNoneMatch makes an object once',
    async run(context) {
      const key = context.unique('once')
      await files(context).put(key, 'first', { ifNoneMatch: '*' })
      await refused('E_PRECONDITION_FAILED', files(context).put(key, 'second', { ifNoneMatch: '*' }))
      assert.equal(await (await files(context).get(key))?.text(), 'first')
    },
  },
  {
    name: 'storage: ifMatch writes and deletes only what was read',
    async run(context) {
      const key = context.unique('match')
      const { etag: first } = await files(context).put(key, 'first')
      const { etag: second } = await files(context).put(key, 'second', { ifMatch: first })
      assert.notEqual(first, second)
      await refused('E_PRECONDITION_FAILED', files(context).put(key, 'third', { ifMatch: first }))
      await refused('E_PRECONDITION_FAILED', files(context).delete(key, { ifMatch: first }))
      await refused('E_PRECONDITION_FAILED', files(context).put(context.unique('none'), 'x', { ifMatch: second }))
      assert.equal(await (await files(context).get(key))?.text(), 'second')
      assert.equal(await files(context).delete(key, { ifMatch: second }), true)
    },
  },
  {
    name: 'storage: of 20 that write at once on the same tag, exactly one wins',
    async run(context) {
      const key = context.unique('race')
      const { etag } = await files(context).put(key, 'start')
      const writes = Array.from({ length: 20 }, (_, i) => files(context).put(key, `writer ${i}`, { ifMatch: etag }))
      const results = await Promise.allSettled(writes)
      const winners = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []))
      assert.equal(winners.length, 1)
      assert.equal(await (await files(context).get(key))?.text(), `writer ${winners[0]}`)
    },
  },
  {
    name: 'storage: lists in order of bytes, page by page, only below the prefix',
    async run(context) {
      const prefix = `${context.unique('list')}/`
      const keys = Array.from({ length: 25 }, (_, i) => `${prefix}${String((i * 7) % 25).padStart(2, '0')}`)
      await Promise.all(keys.map((key) => files(context).put(key, 'x')))
      await files(context).put(`${prefix.slice(0, -1)}0`, 'outside')
      const listed = await all(files(context).list({ prefix, pageSize: 4 }))
      assert.deepEqual(
        listed.map((one) => one.key),
        [...keys].sort(byBytes),
      )
      assert.ok(listed.every((one) => one.size === 1 && one.etag !== ''))
      assert.deepEqual(await all(files(context).list({ prefix: context.unique('nothing') })), [])
    },
  },
  {
    name: 'storage: a worker that may only read can not write or delete',
    async run(context) {
      const key = context.unique('read-only')
      await files(context).put(key, 'mine')
      const reader = context.readOnly.storage(conformanceResources.storage)
      assert.equal(await (await reader.get(key))?.text(), 'mine')
      await refused('E_NOT_GRANTED', reader.put(key, 'yours'))
      await refused('E_NOT_GRANTED', reader.delete(key))
      assert.equal(await (await files(context).get(key))?.text(), 'mine')
    },
  },
]
