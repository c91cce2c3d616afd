import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer'

/*
 * Requests as OpenTelemetry's own encoder writes them, which shares nothing with the decoder here: for tests of it, and of what
 * reads its rows.
 */
export const second = 1_763_700_000
export const resource = (attributes: Record<string, unknown>) => ({ attributes })
export const scope = { name: 'test', version: '1' }
export const own = { 'service.name': 'api', 'service.version': '1.2.0', 'landfall.version.id': 'sha256:v' }
export const identity = {
  'landfall.project': 'acme',
  'landfall.deployment.id': 'dep_1',
  'landfall.deployment.name': 'eu',
}

export const record = (body: unknown, attributes: Record<string, unknown>, severityNumber = 17) => ({
  hrTime: [second, 123_456_789],
  hrTimeObserved: [second, 123_456_789],
  severityNumber,
  severityText: 'ERROR',
  body,
  attributes,
  droppedAttributesCount: 0,
  spanContext: { traceId: 'aabbccddeeff00112233445566778899', spanId: '0011223344556677', traceFlags: 1 },
  resource: resource(own),
  instrumentationScope: scope,
})
export const logs = [
  record('it broke', {
    text: 'ä€𝄞',
    number: 42,
    float: 1.5,
    yes: true,
    list: ['a', 1],
    big: 2 ** 53 - 1,
    negative: -7,
  }),
  record({ nested: { deep: [1, 2] } }, {}, 9),
]
export const metrics = {
  resource: resource({ ...own, 'landfall.deployment.id': 'forged' }),
  scopeMetrics: [
    {
      scope,
      metrics: [
        {
          descriptor: { name: 'http.server.request.duration', description: '', unit: 's', valueType: 1 },
          aggregationTemporality: 1,
          dataPointType: 0,
          dataPoints: [
            {
              startTime: [second - 10, 0],
              endTime: [second, 500_000_000],
              attributes: { 'http.response.status_code': 503, 'http.route': '/x' },
              value: { count: 6, sum: 1.25, min: 0, max: 1, buckets: { boundaries: [0.1, 0.5], counts: [3, 2, 1] } },
            },
          ],
        },
        {
          descriptor: { name: 'process.cpu', description: '', unit: '1', valueType: 1 },
          aggregationTemporality: 1,
          dataPointType: 2,
          dataPoints: [{ startTime: [0, 0], endTime: [second, 0], attributes: {}, value: 0.5 }],
        },
      ],
    },
  ],
}
export function bytesOf(encoded: Uint8Array | undefined): Uint8Array {
  if (encoded) return encoded
  throw new Error('nothing was encoded')
}

export const protobufLogs = bytesOf(ProtobufLogsSerializer.serializeRequest(logs as never))
export const jsonLogs = bytesOf(JsonLogsSerializer.serializeRequest(logs as never))
export const protobufMetrics = bytesOf(ProtobufMetricsSerializer.serializeRequest(metrics as never))
export const jsonMetrics = bytesOf(JsonMetricsSerializer.serializeRequest(metrics as never))
