import assert from 'node:assert/strict'
import { eventually, refused } from './expect.ts'
import {
  type CaseContext,
  type ConformanceCase,
  conformanceMaxDeliveries,
  conformanceResources,
  type Delivery,
} from './types.ts'

const jobs = ({ bindings }: CaseContext) => bindings.queue(conformanceResources.queue)

/** Longest wait for a delivery: the visibility timeout and what a slow machine adds. */
const patienceMs = 20_000

/** Takes deliveries until `done` says so, and answers each by `answer`. */
async function consume(
  context: CaseContext,
  wanted: (delivery: Delivery) => boolean,
  answer: (delivery: Delivery) => Promise<void>,
  done: () => boolean,
): Promise<void> {
  const deliveries = context.received(conformanceResources.queue)
  const late = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => late.resolve('late'), patienceMs)
  try {
    while (!done()) {
      const next = await Promise.race([deliveries.next(), late.promise])
      assert.ok(next !== 'late', `within ${patienceMs} ms not everything was delivered`)
      assert.ok(!next.done, 'the deliveries ended')
      // What another case left behind is answered, so that it does not come again.
      if (wanted(next.value)) await answer(next.value)
      else await next.value.ack()
    }
  } finally {
    clearTimeout(timer)
    await deliveries.return?.()
  }
}

export const queueCases: ConformanceCase[] = [
  {
    name: 'queue: delivers JSON and bytes as they were sent, with their type',
    async run(context) {
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
      const sent = new Map<string, { body: Uint8Array; type: string }>()
      const json = await jobs(context).send({ a: 'ü' })
      sent.set(json.id, { body: new TextEncoder().encode('{"a":"ü"}'), type: 'application/json' })
      const raw = await jobs(context).send(bytes)
      sent.set(raw.id, { body: bytes, type: 'application/octet-stream' })
      const own = await jobs(context).send(bytes, { contentType: 'image/x-test' })
      sent.set(own.id, { body: bytes, type: 'image/x-test' })
      await consume(
        context,
        (delivery) => sent.has(delivery.id),
        async (delivery) => {
          const expected = sent.get(delivery.id)
          assert.deepEqual(new Uint8Array(delivery.body), expected?.body)
          assert.equal(delivery.contentType, expected?.type)
          assert.ok(delivery.attempt >= 1)
          await delivery.ack()
          sent.delete(delivery.id)
        },
        () => sent.size === 0,
      )
    },
  },
  {
    name: 'queue: a batch is sent whole, each message with its own id',
    async run(context) {
      const name = context.unique('batch')
      const results = await jobs(context).sendBatch(Array.from({ length: 20 }, (_, i) => `${name} ${i}`))
      const ids = results.map((result) => ('id' in result ? result.id : assert.fail('a message was refused')))
      assert.equal(new Set(ids).size, 20)
      const bodies = new Set<string>()
      await consume(
        context,
        (delivery) => ids.includes(delivery.id),
        async (delivery) => {
          bodies.add(JSON.parse(new TextDecoder().decode(delivery.body)))
          await delivery.ack()
        },
        () => bodies.size === 20,
      )
    },
  },
  {
    name: 'queue: messages up to 256 KiB, and no larger ones',
    async run(context) {
      const largest = new Uint8Array(256 * 1024).fill(97)
      await refused('E_TOO_LARGE', jobs(context).send(new Uint8Array(256 * 1024 + 1)))
      const { id } = await jobs(context).send(largest)
      let got = false
      await consume(
        context,
        (delivery) => delivery.id === id,
        async (delivery) => {
          assert.equal(delivery.body.byteLength, largest.byteLength)
          await delivery.ack()
          got = true
        },
        () => got,
      )
    },
  },
  {
    name: 'queue: a message that failed is delivered again, counted, and is done once it is answered',
    async run(context) {
      const { id } = await jobs(context).send(context.unique('again'))
      const attempts: number[] = []
      await consume(
        context,
        (delivery) => delivery.id === id,
        async (delivery) => {
          attempts.push(delivery.attempt)
          if (attempts.length === 1) await delivery.fail()
          else await delivery.ack()
        },
        () => attempts.length === 2,
      )
      assert.deepEqual(attempts, [1, 2])
      const dead = await context.deadLetters(conformanceResources.queue)
      assert.ok(!dead.some((one) => one.id === id), 'an answered message is no dead letter')
    },
  },
  {
    name: 'queue: a message that nobody answers is delivered again after its visibility timeout',
    async run(context) {
      const { id } = await jobs(context).send(context.unique('silent'))
      const attempts: number[] = []
      await consume(
        context,
        (delivery) => delivery.id === id,
        async (delivery) => {
          attempts.push(delivery.attempt)
          // The first consumer dies without a word.
          if (attempts.length > 1) await delivery.ack()
        },
        () => attempts.length === 2,
      )
      assert.ok((attempts[1] ?? 0) > (attempts[0] ?? 0))
    },
  },
  {
    name: 'queue: a message that always fails becomes a dead letter, and holds up no other',
    async run(context) {
      const text = context.unique('poison')
      const { id } = await jobs(context).send(text)
      const { id: good } = await jobs(context).send(context.unique('good'))
      let deliveries = 0
      let passed = false
      await consume(
        context,
        (delivery) => delivery.id === id || delivery.id === good,
        async (delivery) => {
          if (delivery.id === good) {
            passed = true
            return delivery.ack()
          }
          deliveries++
          await delivery.fail()
        },
        () => passed && deliveries === conformanceMaxDeliveries,
      )
      const find = async () => (await context.deadLetters(conformanceResources.queue)).find((one) => one.id === id)
      await eventually('the message is a dead letter', async () => (await find()) !== undefined)
      assert.equal(new TextDecoder().decode((await find())?.body), JSON.stringify(text))
    },
  },
]
