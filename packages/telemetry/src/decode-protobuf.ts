import { malformed } from './malformed.ts'
import type { Field, Kind, Message } from './messages.ts'
import { WireReader } from './wire.ts'

/** An AnyValue may nest; hostile input must not exhaust the stack. */
const maxDepth = 40
const text = new TextDecoder()

/**
 * Decodes protobuf to the shape of OTLP's JSON encoding (64-bit numbers as decimal strings, ids as hex).
 * @throws LandfallError `E_OTLP_MALFORMED`
 */
export function decodeProtobuf(bytes: Uint8Array, message: Message): Record<string, unknown> {
  return decode(new WireReader(bytes), message, 0)
}

function decode(reader: WireReader, message: Message, depth: number): Record<string, unknown> {
  if (depth > maxDepth) throw malformed(`values nested deeper than ${maxDepth} levels`)
  const result: Record<string, unknown> = {}
  while (!reader.done) {
    const { field: number, wire } = reader.tag()
    const field = message[number]
    if (!field) reader.skip(wire)
    else if (field.repeated) appendTo(result, field, reader, wire, depth)
    else {
      const value = readOne(field.kind, reader, wire, depth)
      // Protobuf's rule: a message that comes twice is merged, anything else is what came last.
      result[field.name] = typeof field.kind === 'function' ? merged(result[field.name], value) : value
    }
  }
  return result
}

function merged(before: unknown, after: unknown): unknown {
  if (before === undefined) return after
  if (Array.isArray(before) && Array.isArray(after)) return [...before, ...after]
  if (!isObject(before) || !isObject(after)) return after
  const result = { ...before }
  for (const [name, value] of Object.entries(after)) result[name] = merged(before[name], value)
  return result
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

function appendTo(
  result: Record<string, unknown>,
  field: Field,
  reader: WireReader,
  wire: number,
  depth: number,
): void {
  const existing = result[field.name]
  const list: unknown[] = Array.isArray(existing) ? existing : []
  result[field.name] = list
  if (wire === 2 && isPackable(field.kind)) {
    const { start, end } = reader.span()
    const packed = new WireReader(reader.bytes, start, end)
    while (!packed.done) list.push(readOne(field.kind, packed, wireOf(field.kind), depth))
  } else list.push(readOne(field.kind, reader, wire, depth))
}

function readOne(kind: Field['kind'], reader: WireReader, wire: number, depth: number): unknown {
  if (wire !== wireOf(kind)) throw malformed('a field of another type than OTLP gives it')
  if (typeof kind === 'function') {
    const { start, end } = reader.span()
    return decode(new WireReader(reader.bytes, start, end), kind(), depth + 1)
  }
  switch (kind) {
    case 'bool':
      return reader.varint() !== 0n
    case 'uint':
      return Number(reader.varint())
    case 'int64':
      return BigInt.asIntN(64, reader.varint()).toString()
    case 'uint64':
      return reader.varint().toString()
    case 'sint': {
      const value = Number(reader.varint())
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
    case 'fixed32':
      return reader.fixed32()
    case 'fixed64':
      return reader.fixed64(false).toString()
    case 'sfixed64':
      return reader.fixed64(true).toString()
    case 'double': {
      const value = reader.double()
      // As the JSON of protobuf writes what JSON has no number for.
      return Number.isFinite(value) ? value : String(value)
    }
    default: {
      const { start, end } = reader.span()
      const bytes = reader.bytes.subarray(start, end)
      return kind === 'string' ? text.decode(bytes) : Buffer.from(bytes).toString(kind)
    }
  }
}

const isPackable = (kind: Field['kind']) => typeof kind === 'string' && wireOf(kind) !== 2

const wires: Partial<Record<Kind, number>> = {
  bool: 0,
  uint: 0,
  int64: 0,
  uint64: 0,
  sint: 0,
  fixed64: 1,
  sfixed64: 1,
  double: 1,
  fixed32: 5,
}

function wireOf(kind: Field['kind']): number {
  return typeof kind === 'string' ? (wires[kind] ?? 2) : 2
}
