import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeOf } from '../testing/fixtures.ts'
import { createTar, readTar } from './tar.ts'

const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,20}(\/[a-z][a-z0-9._-]{0,20}){0,2}$/)

describe('tar', () => {
  it('gives back what was put in, the same bytes in any order', () => {
    fc.assert(
      fc.property(fc.dictionary(name, fc.uint8Array({ maxLength: 1500 })), (files) => {
        const bytes = createTar(files)
        expect(bytes.length % 512).toBe(0)
        const read = readTar(bytes)
        expect(Object.keys(read)).toEqual(Object.keys(files).sort())
        for (const [path, content] of Object.entries(files)) expect([...(read[path] ?? [])]).toEqual([...content])
        expect(createTar(Object.fromEntries(Object.entries(files).reverse()))).toEqual(bytes)
      }),
    )
  })

  it('refuses names that lead elsewhere, other kinds of entries, and archives cut short', async () => {
    const bytes = createTar({ 'index.mjs': new Uint8Array(700) })
    const refuse = (change: (copy: Buffer) => void) => {
      const copy = Buffer.from(bytes)
      change(copy)
      return codeOf(() => readTar(copy))
    }
    expect(await refuse((copy) => copy.write('../../etc', 0))).toBe('E_ARTIFACT_INVALID')
    expect(await refuse((copy) => copy.write('/ndex.mjs', 0))).toBe('E_ARTIFACT_INVALID')
    expect(await refuse((copy) => copy.write('2', 156))).toBe('E_ARTIFACT_INVALID')
    expect(await refuse((copy) => copy.write('77777777777', 124))).toBe('E_ARTIFACT_INVALID')
    expect(await refuse((copy) => copy.write('xxxxxxxxxxx', 124))).toBe('E_ARTIFACT_INVALID')
    expect(await codeOf(() => readTar(bytes.subarray(0, 1024)))).toBe('E_ARTIFACT_INVALID')
    expect(await codeOf(() => readTar(new Uint8Array()))).toBe('E_ARTIFACT_INVALID')
  })
})
