import { expect, test } from 'vitest'
import { kindOf } from './change-kind.ts'

test('a message of the stream names its kind; anything else is not one', () => {
  expect(kindOf('{"kind":"rollout","id":"rol_1","at":"2026-11-21T12:00:00.000Z"}')).toBe('rollout')
  expect(kindOf('{}')).toBeNull()
  expect(kindOf('null')).toBeNull()
  expect(kindOf('not json')).toBeNull()
})
