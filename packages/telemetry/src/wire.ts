import { malformed } from './malformed.ts'

/** Reads the protobuf wire format (https://protobuf.dev/programming-guides/encoding/) of one message, without copying. */
export class WireReader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
  readonly #view: DataView

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.at >= this.end
  }

  /** @throws LandfallError `E_OTLP_MALFORMED` at a field number or wire type that can't be. */
  tag(): { field: number; wire: number } {
    const value = Number(this.varint())
    const field = Math.floor(value / 8)
    const wire = value % 8
    if (field === 0 || field > 0x1fff_ffff) throw malformed('a field number that can not be')
    return { field, wire }
  }

  varint(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.at < this.end ? this.bytes[this.at] : undefined
      if (byte === undefined) throw malformed('a number that is cut off')
      this.at += 1
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, result)
    }
    throw malformed('a number longer than ten bytes')
  }

  fixed32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  fixed64(signed: boolean): bigint {
    const at = this.#take(8)
    return signed ? this.#view.getBigInt64(at, true) : this.#view.getBigUint64(at, true)
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  /** Start and end of a length-delimited field; the reader goes on behind it. */
  span(): { start: number; end: number } {
    const length = Number(this.varint())
    const start = this.#take(length)
    return { start, end: start + length }
  }

  skip(wire: number): void {
    if (wire === 0) this.varint()
    else if (wire === 1) this.#take(8)
    else if (wire === 2) this.span()
    else if (wire === 5) this.#take(4)
    else throw malformed(`wire type ${wire}`)
  }

  #take(length: number): number {
    const at = this.at
    if (length > this.end - at) throw malformed('a field longer than its message')
    this.at = at + length
    return at
  }
}
