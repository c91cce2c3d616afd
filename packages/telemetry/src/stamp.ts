import { malformed } from './malformed.ts'
import { WireReader } from './wire.ts'

/**
 * Who sent it, as resource attributes. What the sender wrote under these names is removed: identity comes from the token.
 * Everything else of a payload stays byte for byte as it came.
 */
export interface Identity {
  'landfall.project': string
  'landfall.deployment.id': string
  'landfall.deployment.name': string
}

const reserved = new Set<string>(['landfall.project', 'landfall.deployment.id', 'landfall.deployment.name'])
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Stamps every resource of an OTLP export request in protobuf. The three signals agree on the path: field 1 of the request
 * is `resource_logs | resource_metrics | resource_spans`, its field 1 is `resource`, its field 1 are the attributes.
 */
export function stampProtobuf(bytes: Uint8Array, identity: Identity): Uint8Array {
  const own = Object.entries(identity).map(([key, value]) => keyValueBytes(key, value))
  return rewrite(bytes, 1, (group) => {
    let stamped = false
    const changed = rewrite(group, 1, (resource) => {
      const cleaned = rewrite(resource, 1, (attribute) => (reserved.has(keyOf(attribute)) ? null : attribute))
      if (stamped) return cleaned
      stamped = true
      return concat([cleaned, ...own.map((attribute) => field(1, attribute))])
    })
    return stamped ? changed : concat([changed, field(1, concat(own.map((attribute) => field(1, attribute))))])
  })
}

/** The same for OTLP's JSON encoding, already parsed; `list` is `resourceLogs`, `resourceMetrics` or `resourceSpans`. */
export function stampJson(request: Record<string, unknown>, list: string, identity: Identity): Record<string, unknown> {
  const groups = request[list]
  if (groups === undefined) return request
  if (!Array.isArray(groups)) throw malformed(`${list} is not a list`)
  const own = Object.entries(identity).map(([key, value]) => ({ key, value: { stringValue: value } }))
  return {
    ...request,
    [list]: groups.map((group: unknown) => {
      const resource = objectOf(objectOf(group).resource ?? {})
      const attributes = resource.attributes ?? []
      if (!Array.isArray(attributes)) throw malformed('attributes are not a list')
      const kept = attributes.filter((attribute: unknown) => !reserved.has(String(objectOf(attribute).key)))
      return { ...objectOf(group), resource: { ...resource, attributes: [...kept, ...own] } }
    }),
  }
}

/** Copies a message, with every length-delimited occurrence of one field replaced; null drops it. */
function rewrite(bytes: Uint8Array, number: number, change: (value: Uint8Array) => Uint8Array | null): Uint8Array {
  const reader = new WireReader(bytes)
  const parts: Uint8Array[] = []
  while (!reader.done) {
    const from = reader.at
    const { field: found, wire } = reader.tag()
    if (found === number && wire === 2) {
      const { start, end } = reader.span()
      const changed = change(bytes.subarray(start, end))
      if (changed) parts.push(field(number, changed))
    } else {
      reader.skip(wire)
      parts.push(bytes.subarray(from, reader.at))
    }
  }
  return concat(parts)
}

function keyOf(keyValue: Uint8Array): string {
  const reader = new WireReader(keyValue)
  let key = ''
  while (!reader.done) {
    const { field: number, wire } = reader.tag()
    if (number === 1 && wire === 2) {
      const { start, end } = reader.span()
      key = decoder.decode(keyValue.subarray(start, end))
    } else reader.skip(wire)
  }
  return key
}

const keyValueBytes = (key: string, value: string) =>
  concat([field(1, encoder.encode(key)), field(2, field(1, encoder.encode(value)))])

/** A length-delimited field. */
function field(number: number, value: Uint8Array): Uint8Array {
  const head = [number * 8 + 2]
  let length = value.length
  for (; length > 0x7f; length = Math.floor(length / 128)) head.push((length % 128) + 128)
  head.push(length)
  return concat([Uint8Array.from(head), value])
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}

function objectOf(value: unknown): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw malformed('a list where an object belongs')
  return value as Record<string, unknown>
}
