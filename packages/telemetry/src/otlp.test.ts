import { gzipSync } from 'node:zlib'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeProtobuf } from './decode-protobuf.ts'
import { exportAnswer } from './export-answer.ts'
import { letPass } from './let-pass.ts'
import { exportLogs, exportMetrics } from './messages.ts'
import { recordCount } from './only-errors.ts'
import { checkRequest, parseRequest, toJsonLine } from './parse-request.ts'
import { maxUnpackedBytes, readBody } from './read-body.ts'
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
} from './testing/samples.ts'

describe('OTLP', () => {
  it('is stamped with the identity of the token; what the sender claimed under those names is gone', () => {
    for (const [encoding, bytes] of [
      ['protobuf', protobufMetrics],
      ['json', jsonMetrics],
    ] as const) {
      const { stamped } = parseRequest(bytes, encoding, 'metrics', identity)
      const request =
        encoding === 'json'
          ? (JSON.parse(new TextDecoder().decode(stamped)) as object)
          : decodeProtobuf(stamped, exportMetrics)
      const text = JSON.stringify(request)
      expect(text).not.toContain('forged')
      for (const value of Object.values(identity)) expect(text.split(`"${value}"`).length).toBe(2)
      expect(text).toContain('service.name')
    }
    const span = { resource: resource(own), instrumentationScope: scope, name: 'GET /', kind: 1 }
    const context = { traceId: 'aabbccddeeff00112233445566778899', spanId: '0011223344556677', traceFlags: 1 }
    const times = {
      startTime: [second, 0],
      endTime: [second, 1],
      status: { code: 0 },
      attributes: {},
      links: [],
      events: [],
    }
    const spans = [
      {
        ...span,
        ...times,
        spanContext: () => context,
        droppedAttributesCount: 0,
        droppedEventsCount: 0,
        droppedLinksCount: 0,
      },
    ]
    const traces = bytesOf(ProtobufTraceSerializer.serializeRequest(spans as never))
    const { stamped, request } = parseRequest(traces, 'protobuf', 'traces', identity)
    expect(JSON.parse(toJsonLine(stamped, 'protobuf', 'traces'))).toEqual(request)
    expect(recordCount(request, 'traces')).toBe(1)
    expect(Buffer.from(stamped).includes('dep_1')).toBe(true)
    expect(Buffer.from(stamped).includes('GET /')).toBe(true)
  })

  it('is read whole from protobuf: what OpenTelemetry writes as JSON, and nothing less', () => {
    for (const [signal, protobuf, json] of [
      ['logs', protobufLogs, jsonLogs],
      ['metrics', protobufMetrics, jsonMetrics],
    ] as const) {
      const read = JSON.parse(toJsonLine(protobuf, 'protobuf', signal)) as unknown
      expect(asWritten(read)).toEqual(asWritten(JSON.parse(Buffer.from(json).toString())))
      expect(() => checkRequest(read, signal)).not.toThrow()
    }
    expect(toJsonLine(Buffer.from('{\n  "resourceLogs": []\n}'), 'json', 'logs')).toBe('{"resourceLogs":[]}')
  })

  it('leaves the site as the customer says', () => {
    const parsed = parseRequest(protobufLogs, 'protobuf', 'logs', identity)
    expect(letPass('on', 'logs', 'protobuf', parsed)).toMatchObject({ encoding: 'protobuf', bytes: parsed.stamped })
    expect(letPass('off', 'logs', 'protobuf', parsed)).toBeNull()
    const errors = letPass('errors-only', 'logs', 'protobuf', parsed) ?? expect.fail('nothing passed')
    expect(errors.encoding).toBe('json')
    expect(recordCount(errors.request, 'logs')).toBe(1)
    const text = Buffer.from(errors.bytes).toString()
    expect(text).toContain('it broke')
    expect(text).toContain('"dep_1"')
    expect(text).not.toContain('nested')
    const metricsParsed = parseRequest(protobufMetrics, 'protobuf', 'metrics', identity)
    expect(letPass('errors-only', 'metrics', 'protobuf', metricsParsed)).toBeNull()
    const spansOf = (code: number) => ({
      request: { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a', status: { code } }] }] }] },
      stamped: new Uint8Array(),
    })
    expect(letPass('errors-only', 'traces', 'json', spansOf(1))).toBeNull()
    expect(letPass('errors-only', 'traces', 'json', spansOf(2))?.request).toEqual(spansOf(2).request)
  })

  it('that is damaged anywhere is refused with its own error, or read, but never an accident', () => {
    fc.assert(
      fc.property(fc.nat(protobufLogs.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const bytes = cut ? protobufLogs.slice(0, at) : Uint8Array.from(protobufLogs)
        if (!cut) bytes[at] = byte
        try {
          parseRequest(bytes, 'protobuf', 'logs', identity)
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_OTLP_MALFORMED' })
        }
      }),
      { numRuns: 500 },
    )
    for (const text of ['', '[]', '{"resourceLogs":3}', '{"resourceLogs":[3]}', '\xff']) {
      const bytes = Buffer.from(text, 'latin1')
      expect(() => parseRequest(bytes, 'json', 'logs', identity)).toThrow(
        expect.objectContaining({ code: 'E_OTLP_MALFORMED' }),
      )
    }
  })

  it('nested without end is refused', () => {
    let value = Buffer.from([0x10, 1])
    for (let i = 0; i < 60; i++) {
      // AnyValue.array_value.values: fields 5 and 1.
      const list = Buffer.concat([Buffer.from([0x0a]), varint(value.length), value])
      value = Buffer.concat([Buffer.from([0x2a]), varint(list.length), list])
    }
    const wrap = (field: number, inner: Buffer) =>
      Buffer.concat([Buffer.from([field * 8 + 2]), varint(inner.length), inner])
    const request = wrap(1, wrap(2, wrap(2, wrap(5, value))))
    expect(() => decodeProtobuf(request, exportLogs)).toThrow(expect.objectContaining({ code: 'E_OTLP_MALFORMED' }))
  })
})

/** Without values that are the default, which an encoder may leave out. Numbers of 64 bits are texts. */
function asWritten(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => asWritten(each, name))
  if (value === null || typeof value !== 'object') {
    const wide = /UnixNano$|^intValue$|^count$|^bucketCounts$/.test(name)
    return wide ? String(value) : value
  }
  const isDefault = (each: unknown) => each === 0 || each === '' || (Array.isArray(each) && each.length === 0)
  const kept = Object.entries(value).filter(([key, each]) => /^as|Value$/.test(key) || !isDefault(each))
  return Object.fromEntries(kept.map(([key, each]) => [key, asWritten(each, key)]))
}

const varint = (value: number) => {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

describe('a body', () => {
  it('is unpacked, but not a bomb', async () => {
    const packed = gzipSync(jsonLogs)
    const { bytes, encoding } = await readBody(packed, 'application/json; charset=utf-8', 'gzip')
    expect([encoding, Buffer.from(bytes).equals(jsonLogs)]).toEqual(['json', true])
    const bomb = gzipSync(Buffer.alloc(maxUnpackedBytes + 1))
    expect(bomb.length).toBeLessThan(40_000)
    await expect(readBody(bomb, 'application/json', 'gzip')).rejects.toMatchObject({ code: 'E_OTLP_TOO_LARGE' })
    await expect(readBody(packed.subarray(0, 40), 'application/json', 'gzip')).rejects.toMatchObject({
      code: 'E_OTLP_MALFORMED',
    })
  })

  it('of another kind is refused', async () => {
    for (const [type, packing] of [
      ['text/plain', undefined],
      [undefined, undefined],
      ['application/json', 'br'],
    ] as const) {
      await expect(readBody(jsonLogs, type, packing)).rejects.toMatchObject({ code: 'E_OTLP_ENCODING' })
    }
  })
})

describe('an answer', () => {
  it('says how many records were not kept, in the encoding of the request', async () => {
    const partial = { 1: { name: 'partialSuccess', kind: () => ({ 1: { name: 'rejected', kind: 'int64' as const } }) } }
    const answer = exportAnswer({ encoding: 'protobuf', rejected: 300 })
    expect(decodeProtobuf(new Uint8Array(await answer.arrayBuffer()), partial)).toEqual({
      partialSuccess: { rejected: '300' },
    })
    expect((await exportAnswer({ encoding: 'protobuf', rejected: 0 }).arrayBuffer()).byteLength).toBe(0)
    expect(await exportAnswer({ encoding: 'json', rejected: 0 }).json()).toEqual({})
    expect(await exportAnswer({ encoding: 'json', rejected: 3 }).json()).toMatchObject({
      partialSuccess: { rejectedLogRecords: '3' },
    })
  })
})
