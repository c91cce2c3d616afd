import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openKeyFile, Sealer } from './seal.ts'

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

test('the key is made once; what a daemon left that was killed while it made it is no key', () => {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-key-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'host.key')
  writeFileSync(path, '')
  writeFileSync(`${path}.new`, randomBytes(7))
  const sealed = openKeyFile(path).seal('x', 'y')
  expect(openKeyFile(path).open(sealed, 'y')).toBe('x')
  expect(readdirSync(directory)).toEqual(['host.key'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  // One that was a key and is not whole any more is refused: a new one could not open what it sealed.
  writeFileSync(path, randomBytes(31))
  expect(() => openKeyFile(path)).toThrow('32 bytes')
})
