import { afterAll, describe, expect, it } from 'vitest'
import { startReceiver, under } from '../testing/otlp-receiver.ts'
import { startWorker, type WorkerProcess } from '../testing/worker-process.ts'

const workers: WorkerProcess[] = []
const closers: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const one of workers) one.child.kill('SIGKILL')
  await Promise.all(workers.map((one) => one.ended))
  await Promise.all(closers.map((close) => close()))
})

async function run(endpoint: string, requests: (worker: WorkerProcess) => Promise<void>): Promise<WorkerProcess> {
  const worker = await startWorker({
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc,x-other=1',
    OTEL_RESOURCE_ATTRIBUTES: 'customer=acme%20inc',
    // Longer than the test: what arrives was sent at the end of the process.
    OTEL_METRIC_EXPORT_INTERVAL: '600000',
  })
  workers.push(worker)
  await requests(worker)
  worker.child.kill('SIGTERM')
  expect(await worker.ended).toBe(0)
  return worker
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentSpanId = 'b7ad6b7169203331'

describe('telemetry', () => {
  it('reaches the receiver as OTLP: logs, spans and metrics of one request belong together', async () => {
    const receiver = await startReceiver()
    closers.push(receiver.close)
    await run(receiver.url, async (worker) => {
      const headers = { traceparent: `00-${traceId}-${parentSpanId}-01` }
      await (await fetch(`${worker.url}/hello?who=you`, { headers })).text()
      await (await fetch(`${worker.url}/items/42`)).text()
      await (await fetch(`${worker.url}/items/43`)).text()
      await (await fetch(`${worker.url}/throw`)).text()
      await (await fetch(`${worker.url}/healthz`)).text()
      const body = {
        kind: 'queue',
        queue: 'jobs',
        message: {
          id: 'm',
          body: 'IngiCg==',
          encoding: 'base64',
          contentType: 'text/plain',
          attempt: 3,
          enqueuedAt: 1,
        },
      }
      const invoked = await fetch(`${worker.url}/_landfall/invoke`, {
        method: 'POST',
        headers: { authorization: `Bearer ${worker.token}` },
        body: JSON.stringify(body),
      })
      await invoked.text()
    })

    const of = (path: string) => receiver.received.filter((one) => one.path === path).map((one) => one.body)
    expect(new Set(receiver.received.map((one) => one.headers.authorization))).toEqual(new Set(['Bearer abc']))
    const resource = under(of('/v1/logs'), 'resource')[0]
    expect(resource).toEqual({
      attributes: expect.arrayContaining([
        { key: 'service.name', value: { stringValue: 'api' } },
        { key: 'service.version', value: { stringValue: '1.2.0' } },
        { key: 'landfall.version.id', value: { stringValue: 'sha256:0' } },
        { key: 'customer', value: { stringValue: 'acme inc' } },
      ]),
    })

    const records = under(of('/v1/logs'), 'logRecords').flat()
    const hello = records.find((one) => under(one, 'stringValue').includes('hello'))
    expect(hello).toMatchObject({
      traceId,
      severityText: 'INFO',
      severityNumber: 9,
      timeUnixNano: expect.stringMatching(/^\d{19}$/),
    })

    const spans = under(of('/v1/traces'), 'spans').flat()
    const own = spans.find((one) => under(one, 'traceId').includes(traceId))
    expect(own).toMatchObject({ parentSpanId, name: 'GET /hello', kind: 2 })
    expect(under(hello, 'spanId')).toEqual(under(own, 'spanId').slice(0, 1))
    expect(spans.map((one) => under(one, 'name')[0]).filter((name) => name === 'GET /healthz')).toEqual([])
    const failed = spans.find((one) => under(one, 'name')[0] === 'GET /throw')
    expect(failed).toMatchObject({ status: { code: 2 }, events: [{ name: 'exception' }] })

    const metrics = under(of('/v1/metrics'), 'metrics').flat()
    const duration = metrics.find((one) => under(one, 'name').includes('http.server.request.duration'))
    const points = under(duration, 'dataPoints').flat()
    const counts = points.map((point) => {
      const keys = under(point, 'key')
      const values = under(point, 'attributes').flat()
      const value = (key: string) => Object.values(under(values[keys.indexOf(key)], 'value')[0] ?? {})[0]
      return [value('http.route'), value('http.response.status_code'), under(point, 'count')[0]]
    })
    expect(counts.sort()).toEqual([
      ['/hello', '200', '1'],
      ['/items/{id}', '404', '2'],
      ['/throw', '500', '1'],
    ])
    for (const point of points) {
      const [buckets] = under(point, 'bucketCounts') as [string[]]
      expect(buckets).toHaveLength(15)
      expect(String(buckets.reduce((sum, one) => sum + Number(one), 0))).toBe(under(point, 'count')[0])
    }
    expect(under(duration, 'aggregationTemporality')).toEqual([1])
    const vendors = metrics.find((one) => under(one, 'name').includes('vendor.messages'))
    expect(under(vendors, 'asDouble')).toEqual([1])
  })

  it('carries on a trace that was not sampled, and records nothing of it', async () => {
    const receiver = await startReceiver()
    closers.push(receiver.close)
    await run(receiver.url, async (worker) => {
      const headers = { traceparent: `00-${traceId}-${parentSpanId}-00` }
      await (await fetch(`${worker.url}/hello?who=you`, { headers })).text()
    })
    expect(receiver.received.filter((one) => one.path === '/v1/traces')).toEqual([])
    expect(under(receiver.received, 'traceId')).toContain(traceId)
  })

  it('holds up neither requests nor the end of the process when the receiver hangs or refuses', async () => {
    const refusing = await startReceiver(() => 503)
    closers.push(refusing.close)
    for (const endpoint of [refusing.url, 'http://127.0.0.1:9']) {
      await run(endpoint, async (worker) => {
        for (let i = 0; i < 20; i++) expect((await fetch(`${worker.url}/hello?who=${i}`)).status).toBe(200)
      })
    }
    expect(refusing.received.length).toBeGreaterThan(0)
  })
})
