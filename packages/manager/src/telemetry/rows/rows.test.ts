import { parseRequest } from '@landfall/telemetry'
import {
  bytesOf,
  identity,
  jsonLogs,
  jsonMetrics,
  own,
  protobufLogs,
  protobufMetrics,
  resource,
  scope,
  second,
} from '@landfall/telemetry/testing'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { describe, expect, it } from 'vitest'
import { logRows } from './log-rows.ts'
import { meterPoints } from './meter-rows.ts'
import { requestPoints } from './metric-rows.ts'
import { spanRows } from './span-rows.ts'

const now = (second + 60) * 1_000

const span = {
  name: 'GET /x',
  kind: 1,
  startTime: [second, 1_000],
  endTime: [second + 1, 500_000_000],
  status: { code: 2, message: 'over' },
  attributes: { 'http.route': '/x' },
  links: [],
  events: [{ time: [second, 2_000], name: 'exception', attributes: { 'exception.type': 'TypeError' } }],
  spanContext: () => ({ traceId: 'aabbccddeeff00112233445566778899', spanId: '0011223344556677', traceFlags: 1 }),
  parentSpanContext: { traceId: 'aabbccddeeff00112233445566778899', spanId: 'ff11223344556677', traceFlags: 1 },
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
  resource: resource(own),
  instrumentationScope: scope,
}
const protobufTraces = bytesOf(ProtobufTraceSerializer.serializeRequest([span] as never))
const jsonTraces = bytesOf(JsonTraceSerializer.serializeRequest([span] as never))

describe('rows', () => {
  it.each([
    ['protobuf', protobufLogs],
    ['json', jsonLogs],
  ] as const)('logs in %s are read whole', (encoding, bytes) => {
    const { request } = parseRequest(bytes, encoding, 'logs', identity)
    const rows = logRows(request, now)
    expect(rows).toMatchObject([
      {
        at: second * 1_000_000 + 123_456,
        severity: 'error',
        worker: 'api',
        version: '1.2.0',
        body: 'it broke',
        attributes: { text: 'ä€𝄞', number: 42, float: 1.5, yes: true, list: ['a', 1], big: 2 ** 53 - 1, negative: -7 },
        trace: 'aabbccddeeff00112233445566778899',
      },
      { severity: 'info', body: '{"nested":{"deep":[1,2]}}' },
    ])
    // The same bytes once more make the same ids: a retried export stores nothing twice.
    expect(logRows(parseRequest(bytes, encoding, 'logs', identity).request, now)).toEqual(rows)
  })

  it.each([
    ['protobuf', protobufMetrics],
    ['json', jsonMetrics],
  ] as const)(
    'request durations in %s are read, in milliseconds; other metrics are points of their own',
    (encoding, bytes) => {
      const { request } = parseRequest(bytes, encoding, 'metrics', identity)
      const points = requestPoints(request, now)
      expect(points).toEqual([
        {
          at: second * 1_000 + 500,
          startAt: (second - 10) * 1_000,
          worker: 'api',
          version: '1.2.0',
          versionId: 'sha256:v',
          source: 'worker',
          series: expect.stringMatching(/^sha256:/),
          error: true,
          cumulative: true,
          count: 6,
          sum: 1_250,
          boundsMs: [100, 500],
          buckets: [3, 2, 1],
        },
      ])
      expect(meterPoints(request, now)).toEqual({
        skipped: 0,
        points: [
          {
            at: second * 1_000,
            startAt: 0,
            worker: 'api',
            version: '1.2.0',
            metric: 'process.cpu',
            unit: '1',
            kind: 'gauge',
            series: expect.stringMatching(/^sha256:/),
            labels: {},
            cumulative: false,
            value: 0.5,
            histogram: null,
          },
        ],
      })
    },
  )

  it.each([
    ['protobuf', protobufTraces],
    ['json', jsonTraces],
  ] as const)('spans in %s are read, with events and why they failed', (encoding, bytes) => {
    const { request } = parseRequest(bytes, encoding, 'traces', identity)
    expect(spanRows(request, now)).toEqual({
      skipped: 0,
      rows: [
        {
          at: second * 1_000_000 + 1,
          trace: 'aabbccddeeff00112233445566778899',
          span: '0011223344556677',
          parent: 'ff11223344556677',
          worker: 'api',
          version: '1.2.0',
          name: 'GET /x',
          kind: 2,
          durationMs: 1_499.999,
          status: 2,
          message: 'over',
          attributes: { 'http.route': '/x' },
          events: [{ at: second * 1_000 + 0.002, name: 'exception', attributes: { 'exception.type': 'TypeError' } }],
        },
      ],
    })
  })

  it('have bounded attributes, and no time in the future', () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key-${i}`, 'x'.repeat(100)]))
    const far = { ...span, startTime: [second + 86_400, 0], endTime: [second + 86_401, 0], attributes: many }
    const bytes = bytesOf(JsonTraceSerializer.serializeRequest([far] as never))
    const [row] = spanRows(parseRequest(bytes, 'json', 'traces', identity).request, now).rows
    expect(row).toMatchObject({ at: now * 1_000, durationMs: 1_000 })
    expect(Object.keys(row?.attributes ?? {}).length).toBe(129)
    expect(row?.attributes['landfall.dropped']).toBe(72)
  })
})
