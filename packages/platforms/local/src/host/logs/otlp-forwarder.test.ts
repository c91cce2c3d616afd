import { setTimeout as sleep } from 'node:timers/promises'
import { anyValue } from '@landfall/runtime/otlp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { soon, TestEnvironment } from '../../testing/environment.ts'
import { startLogReceiver } from '../../testing/log-receiver.ts'
import { vendor } from '../../testing/vendor.ts'

let environment: TestEnvironment
let receiver: Awaited<ReturnType<typeof startLogReceiver>>
beforeEach(async () => {
  environment = await TestEnvironment.open()
  receiver = await startLogReceiver()
  environment.telemetry = { endpoint: receiver.url, headers: {} }
})
afterEach(async () => {
  await environment.close()
  receiver.close()
})

const text = ({ body }: { body: unknown }) => (body as { stringValue: string }).stringValue

test('each line arrives once: the runtime’s with severity, trace and fields, those of other code as they are', async () => {
  const api = environment.worker(vendor)
  const { id, url } = await environment.serve(api, '1.0.0')
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  await fetch(`${url}/log`, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } })
  // The end of the process sends what either side still holds; only then is it sure that nothing comes twice.
  await environment.start(api, '1.0.0', 0)
  await environment.until(api, ({ versions }) => versions[id]?.total === 0)
  while (receiver.records.length < 4) await sleep(20)
  const { directory } = environment
  await environment.platform.closeArea(environment.deployment, soon())
  environment = await TestEnvironment.open()
  expect(directory).not.toBe(environment.directory)

  expect(receiver.records.map(text).sort()).toEqual([
    'by the console',
    'by the runtime',
    'on standard error',
    expect.stringMatching(/^\{"level":30,"time":\d+,"msg":"by another logger"\}$/),
  ])
  const [structured] = receiver.records.filter((record) => text(record) === 'by the runtime')
  expect(structured).toMatchObject({ severityText: 'WARN', severityNumber: 13, traceId })
  expect(structured?.spanId).toMatch(/^[\da-f]{16}$/)
  expect(structured?.attributes).toEqual(
    expect.arrayContaining([
      { key: 'count', value: anyValue(3) },
      { key: 'deep', value: anyValue({ list: [true] }) },
      { key: 'fields.level', value: anyValue('mine') },
      { key: 'log.iostream', value: anyValue('stdout') },
    ]),
  )
  const plain = receiver.records.filter((record) => text(record).startsWith('by the console'))
  expect(plain).toMatchObject([{ severityText: 'INFO' }])
  const loud = receiver.records.filter((record) => text(record).startsWith('on standard'))
  expect(loud).toMatchObject([{ severityText: 'ERROR' }])
})

test('what a process logs right before it is killed arrives', async () => {
  const { url } = await environment.serve(environment.worker(vendor), '1.0.0')
  await fetch(`${url}/last-words`, { method: 'POST' })
  const last = () => receiver.records.filter((record) => text(record) === 'the end')
  while (last().length === 0) await sleep(20)
  expect(last()).toMatchObject([{ severityText: 'ERROR' }])
  expect(JSON.stringify(last())).toContain('as asked')
})
