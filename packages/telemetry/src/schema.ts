import { z } from 'zod'

/*
 * OTLP's JSON shape, as far as it is read. Unknown fields are allowed, as the specification demands of receivers. 64-bit
 * numbers are decimal strings, but numbers are accepted, because exporters send them.
 */
const int64 = z.union([z.string().regex(/^-?\d{1,20}$/), z.number().int()]).transform((value) => BigInt(value))
const double = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform((name) => Number(name))])
export interface AnyValue {
  stringValue?: string | undefined
  boolValue?: boolean | undefined
  intValue?: bigint | undefined
  doubleValue?: number | undefined
  arrayValue?: { values: AnyValue[] } | undefined
  kvlistValue?: { values: { key: string; value?: AnyValue | undefined }[] } | undefined
  bytesValue?: string | undefined
}
const anyValue: z.ZodType<AnyValue> = z.lazy(() =>
  z.object({
    stringValue: z.string().optional(),
    boolValue: z.boolean().optional(),
    intValue: int64.optional(),
    doubleValue: double.optional(),
    arrayValue: z.object({ values: z.array(anyValue).default([]) }).optional(),
    kvlistValue: z.object({ values: z.array(keyValue).default([]) }).optional(),
    bytesValue: z.string().optional(),
  }),
)
const keyValue = z.object({ key: z.string().default(''), value: anyValue.optional() })
const attributes = z.array(keyValue).default([])
const resource = z.object({ attributes }).prefault({})
export type KeyValue = z.infer<typeof keyValue>

const logRecord = z.object({
  timeUnixNano: int64.default(0n),
  observedTimeUnixNano: int64.default(0n),
  severityNumber: z.number().int().default(0),
  severityText: z.string().default(''),
  body: anyValue.optional(),
  attributes,
  traceId: z.string().default(''),
})
export type OtlpLogRecord = z.infer<typeof logRecord>
export const logsRequest = z.object({
  resourceLogs: z
    .array(
      z.object({ resource, scopeLogs: z.array(z.object({ logRecords: z.array(logRecord).default([]) })).default([]) }),
    )
    .default([]),
})

const point = { startTimeUnixNano: int64.default(0n), timeUnixNano: int64.default(0n), attributes }
const numberPoint = z.object({ ...point, asDouble: double.optional(), asInt: int64.optional() })
const histogramPoint = z.object({
  ...point,
  count: int64.default(0n),
  sum: double.optional(),
  bucketCounts: z.array(int64).max(500).default([]),
  explicitBounds: z.array(double).max(499).default([]),
})
/** 1 is delta, 2 cumulative. */
const temporality = z.number().int().default(0)
const metric = z.object({
  name: z.string().default(''),
  unit: z.string().default(''),
  gauge: z.object({ dataPoints: z.array(numberPoint).default([]) }).optional(),
  sum: z
    .object({
      dataPoints: z.array(numberPoint).default([]),
      aggregationTemporality: temporality,
      isMonotonic: z.boolean().default(false),
    })
    .optional(),
  histogram: z
    .object({ dataPoints: z.array(histogramPoint).default([]), aggregationTemporality: temporality })
    .optional(),
})
export type OtlpMetric = z.infer<typeof metric>
export const metricsRequest = z.object({
  resourceMetrics: z
    .array(
      z.object({ resource, scopeMetrics: z.array(z.object({ metrics: z.array(metric).default([]) })).default([]) }),
    )
    .default([]),
})

const span = z.object({
  traceId: z.string().default(''),
  spanId: z.string().default(''),
  parentSpanId: z.string().default(''),
  name: z.string().default(''),
  kind: z.number().int().default(0),
  startTimeUnixNano: int64.default(0n),
  endTimeUnixNano: int64.default(0n),
  attributes,
  events: z.array(z.object({ timeUnixNano: int64.default(0n), name: z.string().default(''), attributes })).default([]),
  status: z.object({ message: z.string().default(''), code: z.number().int().default(0) }).prefault({}),
})
export type OtlpSpan = z.infer<typeof span>
export const tracesRequest = z.object({
  resourceSpans: z
    .array(z.object({ resource, scopeSpans: z.array(z.object({ spans: z.array(span).default([]) })).default([]) }))
    .default([]),
})
