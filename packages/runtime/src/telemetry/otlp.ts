/** OTLP's JSON encoding (opentelemetry-proto 1.x): 64-bit numbers are texts, trace and span ids are hex. */
export type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number | 'NaN' | 'Infinity' | '-Infinity' }
  | { arrayValue: { values: AnyValue[] } }
  | { kvlistValue: { values: KeyValue[] } }
export interface KeyValue {
  key: string
  value: AnyValue
}

/** Longest text of an attribute or a message; the rest is cut off. */
const maxText = 16_384
const maxAttributes = 64
const maxDepth = 5

export const cut = (text: string) => (text.length > maxText ? `${text.slice(0, maxText)}…` : text)

export function anyValue(value: unknown, depth = 0): AnyValue {
  switch (typeof value) {
    case 'string':
      return { stringValue: cut(value) }
    case 'boolean':
      return { boolValue: value }
    case 'bigint':
      return { intValue: value.toString() }
    case 'number':
      if (Number.isSafeInteger(value)) return { intValue: String(value) }
      // The JSON of protobuf writes what JSON has no number for as these texts.
      return { doubleValue: Number.isFinite(value) ? value : (String(value) as 'NaN' | 'Infinity' | '-Infinity') }
    case 'object':
      if (value === null) return { stringValue: 'null' }
      if (value instanceof Date)
        return { stringValue: Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString() }
      if (depth >= maxDepth) return { stringValue: '…' }
      if (value instanceof Error) return keyValueList(describeError(value), depth)
      if (Array.isArray(value)) {
        return { arrayValue: { values: value.slice(0, maxAttributes).map((one) => anyValue(one, depth + 1)) } }
      }
      return keyValueList(value, depth)
    default:
      return { stringValue: String(value) }
  }
}

const keyValueList = (value: object, depth: number): AnyValue => ({
  kvlistValue: { values: attributes(value, depth + 1) },
})

/** An error's own words; its cause too, because that is where the reason is. */
export function describeError(error: Error): Record<string, unknown> {
  const code: unknown = Reflect.get(error, 'code')
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  }
}

export function attributes(object: object, depth = 0): KeyValue[] {
  const result: KeyValue[] = []
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue
    if (result.length === maxAttributes) break
    result.push({ key: cut(key), value: anyValue(value, depth) })
  }
  return result
}
