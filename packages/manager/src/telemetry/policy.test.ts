import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { customerSettings } from '@landfall/stack'
import type { Signal } from '@landfall/telemetry'
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { controlMetrics } from '../control/metrics-text.ts'
import { realClock } from '../control/testing/fleet.ts'
import { seedDeployment, seedProject } from '../control/testing/seed.ts'
import { localMasterKey } from '../secrets/master-key.ts'
import { openKeyring } from '../secrets/open-keyring.ts'
import type { OpenDatabase } from '../store/database.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { Days } from './days.ts'
import { Forwarding } from './forward/forwarding.ts'
import { Intake } from './intake.ts'
import { queryLogs } from './query-logs.ts'
import { Senders } from './senders.ts'
import { writeSettings } from './settings.ts'

const noon = Date.UTC(2026, 10, 21, 12)
let now = noon
const clock = { now: () => now, sleep: realClock.sleep }
let server: TestServer
let database: OpenDatabase
let forwarding: Forwarding
let intake: Intake
let http: Server
/** What the vendor's own endpoint got: path and body. */
const got: { path: string; body: string }[] = []

beforeAll(async () => {
  server = await startTestServer()
  http = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      got.push({ path: request.url ?? '', body: Buffer.concat(parts).toString() })
      response.end()
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await server.stop()
  await new Promise((resolve) => http.close(resolve))
})
beforeEach(async () => {
  now = noon
  got.length = 0
  database = await server.database()
  const { db } = database
  const keyring = await openKeyring(db, localMasterKey(Buffer.alloc(32, 3)), now)
  const log = { info: () => {}, warn: () => {} }
  forwarding = new Forwarding({ db, keyring, clock: realClock, random: { next: () => 0.5 }, log })
  intake = new Intake({ db, clock, forwarding, days: new Days(db), senders: new Senders(db, clock) })
  await seedProject(db, 'acme')
  await seedDeployment(db, { id: 'dep_1', project: 'acme' })
  const forward = [{ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, headers: {} }]
  await db.transaction().execute((trx) => writeSettings(trx, keyring, 'acme', { forward, retentionDays: 7 }))
  await forwarding.refresh()
})
afterEach(async () => {
  await intake.close()
  await forwarding.close()
})

const policy = (telemetry: 'on' | 'errors-only' | 'off') =>
  database.db
    .updateTable('deployments')
    .set({ customer: JSON.stringify(customerSettings.parse({ telemetry })) })
    .execute()
const take = (signal: Signal, body: Uint8Array, contentType = 'application/json') =>
  intake.take({ signal, body, contentType, contentEncoding: undefined, project: 'acme', deployment: 'dep_1' })
const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const logs = json({
  resourceLogs: [
    {
      resource: { attributes: [] },
      scopeLogs: [
        {
          logRecords: [
            { timeUnixNano: `${noon}000000`, severityNumber: 13, body: { stringValue: 'odd' } },
            { timeUnixNano: `${noon}000000`, severityNumber: 17, body: { stringValue: 'broken' } },
            { timeUnixNano: `${noon}000000`, severityText: 'FATAL', body: { stringValue: 'over' } },
          ],
        },
      ],
    },
  ],
})
const duration = {
  name: 'http.server.request.duration',
  unit: 's',
  histogram: {
    aggregationTemporality: 2,
    dataPoints: [
      {
        startTimeUnixNano: `${noon - 1_000}000000`,
        timeUnixNano: `${noon}000000`,
        count: '1',
        sum: 0.1,
        explicitBounds: [0.01],
        bucketCounts: ['1', '0'],
        attributes: [{ key: 'http.response.status_code', value: { intValue: '200' } }],
      },
    ],
  },
}
const worker = [
  { key: 'service.name', value: { stringValue: 'api' } },
  { key: 'service.version', value: { stringValue: '1.0.0' } },
]
const metrics = json({
  resourceMetrics: [{ resource: { attributes: worker }, scopeMetrics: [{ metrics: [duration] }] }],
})
const traces = json({ resourceSpans: [{ resource: { attributes: [] } }] })
const all = async () => {
  const answers = [await take('logs', logs), await take('metrics', metrics), await take('traces', traces)]
  return answers.map(({ rejected }) => rejected)
}
const lines = async () =>
  (await queryLogs(database.db, { deployment: 'dep_1', limit: 10 })).items.map((line) => line.body).sort()
const points = async () => (await database.db.selectFrom('metric_points').select('at').execute()).length
const settled = async () => {
  for (let tries = 0; tries < 400 && forwarding.counters().held > 0; tries++) await realClock.sleep(10)
  return got.map(({ path }) => path)
}
const metricsText = () =>
  controlMetrics({
    loops: [],
    runs: {} as never,
    running: { deployments: 0, commands: 0 },
    telemetry: intake,
    forwarding,
    feedReaders: 0,
  })

describe('what the customer lets leave', () => {
  it('is everything by default', async () => {
    expect(await all()).toEqual([0, 0, 0])
    expect(await lines()).toEqual(['broken', 'odd', 'over'])
    expect(await points()).toBe(1)
    expect(await settled()).toEqual(['/v1/logs', '/v1/metrics', '/v1/traces'])
  })

  it('off: is accepted, and neither stored nor sent on; it is counted', async () => {
    await policy('off')
    expect(await all()).toEqual([0, 0, 0])
    expect(await lines()).toEqual([])
    expect(await points()).toBe(0)
    expect(await settled()).toEqual([])
    expect(intake.counters.stored).toEqual({ logs: 0, points: 0, spans: 0 })
    expect(metricsText()).toContain('landfall_telemetry_dropped_requests_total{policy="off"} 3\n')
  })

  it('errors only: lines of error and worse, no metrics, no traces; also on the way to the vendor', async () => {
    await policy('errors-only')
    expect(await all()).toEqual([0, 0, 0])
    expect(await lines()).toEqual(['broken', 'over'])
    expect(await points()).toBe(0)
    expect(await settled()).toEqual(['/v1/logs'])
    expect(got[0]?.body).toContain('"broken"')
    expect(got[0]?.body).toContain('"over"')
    expect(got[0]?.body).not.toContain('odd')
    expect(got[0]?.body).toContain('{"key":"landfall.deployment.id","value":{"stringValue":"dep_1"}}')
    expect(metricsText()).toContain('landfall_telemetry_dropped_requests_total{policy="errors-only"} 2\n')
    expect(metricsText()).toContain('landfall_telemetry_dropped_lines_total 1\n')
  })

  it('errors only: the same in protobuf', async () => {
    await policy('errors-only')
    const record = (severityNumber: number, body: string) => ({
      hrTime: [noon / 1_000, 0],
      hrTimeObserved: [noon / 1_000, 0],
      severityNumber,
      body,
      attributes: {},
      resource: { attributes: {} },
      instrumentationScope: { name: 'app' },
    })
    const bytes = ProtobufLogsSerializer.serializeRequest([record(9, 'fine'), record(17, 'broken')] as never)
    await take('logs', bytes ?? new Uint8Array(), 'application/x-protobuf')
    expect(await lines()).toEqual(['broken'])
    expect(await settled()).toEqual(['/v1/logs'])
    expect(got[0]?.body).toContain('"broken"')
    expect(got[0]?.body).not.toContain('fine')
  })

  it('is obeyed within five seconds of a change', async () => {
    await take('logs', logs)
    await policy('off')
    now += 5_000
    await take('metrics', metrics)
    expect(await points()).toBe(0)
    await policy('on')
    now += 5_000
    await take('metrics', metrics)
    expect(await points()).toBe(1)
  })
})
