import { expect, test } from 'vitest'
import { byteSize, listed, plural, sentenceCase, shortDigest } from './words.ts'

test('counts take their plural', () => {
  expect(plural(1, 'deployment')).toBe('1 deployment')
  expect(plural(0, 'deployment')).toBe('0 deployments')
  expect(plural(1200, 'entry', 'entries')).toBe('1,200 entries')
})

test('lists are read as sentences', () => {
  expect(listed([])).toBe('')
  expect(listed(['a'])).toBe('a')
  expect(listed(['a', 'b', 'c'])).toBe('a, b and c')
})

test('codes, sizes and digests', () => {
  expect(sentenceCase('rolled_back-worse')).toBe('Rolled back worse')
  expect([999, 48_200, 1_200_000, 12_000_000].map(byteSize)).toEqual(['999 B', '48 kB', '1.2 MB', '12 MB'])
  expect(shortDigest(`sha256:${'0123456789abcdef'.repeat(4)}`)).toBe('0123456789ab')
})
