import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Sealer } from './seal.ts'

test('opens what it sealed, for the same purpose only, and not when a byte was changed', () => {
  const sealer = new Sealer(randomBytes(32))
  const sealed = sealer.seal('püblic? no', 'secret:a:1')
  expect(Buffer.from(sealed).includes('no')).toBe(false)
  expect(sealer.open(sealed, 'secret:a:1')).toBe('püblic? no')
  expect(() => sealer.open(sealed, 'secret:b:1')).toThrow()
  expect(() => new Sealer(randomBytes(32)).open(sealed, 'secret:a:1')).toThrow()
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => sealer.open(changed, 'secret:a:1')).toThrow()
  }
})
