import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from './canonical.ts'
import { digestOf, sha256 } from './digest.ts'

/** RFC 8785, appendix B: bits of an IEEE 754 double, and how it is written. */
const numbers: [bits: string, text: string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

const double = (bits: string) => Buffer.from(bits, 'hex').readDoubleBE()

/** Rebuilds every object with its members in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (value === null || typeof value !== 'object') return value
  const result: Record<string, unknown> = Object.create(null)
  for (const [key, member] of Object.entries(value).reverse()) result[key] = shuffled(member)
  return result
}

const json = () => fc.jsonValue({ noUnicodeString: false })

describe('canonical JSON', () => {
  it.each(numbers)('writes the double %s as %s (RFC 8785, appendix B)', (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text)
  })

  it.each(['7fffffffffffffff', '7ff0000000000000'])('refuses the double %s (RFC 8785, appendix B)', (bits) => {
    expect(() => canonicalJson(double(bits))).toThrow(TypeError)
  })

  it('writes the sample of RFC 8785 section 3.2.2', () => {
    const value = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    )
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('orders members by UTF-16 code units (RFC 8785 section 3.2.3)', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
    const sorted = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])))))
    expect(sorted).toEqual(['1', '\r', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33'])
  })

  it('says what can not be written, and where', () => {
    expect(() => canonicalJson({ a: [1, { b: Number.NaN }] })).toThrow('$.a[1].b')
    expect(() => canonicalJson('\ud800')).toThrow('lone surrogate')
    expect(() => canonicalJson({ when: new Date(0) })).toThrow('Date')
    expect(() => canonicalJson([undefined])).toThrow('$[0]')
    expect(() => canonicalJson(1n)).toThrow('bigint')
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => canonicalJson(cycle)).toThrow('cycle')
  })

  it('means the same value, whatever the order of members', () => {
    fc.assert(
      fc.property(json(), (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
        expect(canonicalJson(shuffled(value))).toBe(text)
        expect(JSON.stringify(JSON.parse(text)).length).toBe(text.length)
      }),
    )
  })
})

describe('digests', () => {
  it('are the SHA-256 of the canonical form', () => {
    // FIPS 180-2's vector for "abc", and the well-known digest of an empty object.
    expect(sha256('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(digestOf({})).toBe('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  })

  it('tell different values apart', () => {
    fc.assert(
      fc.property(json(), json(), (a, b) => {
        expect(digestOf(a) === digestOf(b)).toBe(canonicalJson(a) === canonicalJson(b))
      }),
    )
  })
})
