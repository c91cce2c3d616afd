import { expect, test } from 'vitest'
import { fieldsOf, readFields } from './schema-fields.ts'

const schema = {
  type: 'object',
  required: ['since'],
  properties: {
    since: { type: 'string', format: 'date', description: 'From this day on' },
    batch: { type: 'integer', minimum: 1, maximum: 1000, default: 500 },
    ratio: { type: 'number' },
    dryRun: { type: 'boolean' },
    format: { enum: ['csv', 'json'] },
    filter: { type: 'object' },
  },
}
const fields = fieldsOf(schema) ?? []

test('each property becomes a field of its kind', () => {
  expect(fields.map(({ name, kind, required }) => [name, kind, required])).toEqual([
    ['since', 'text', true],
    ['batch', 'integer', false],
    ['ratio', 'number', false],
    ['dryRun', 'boolean', false],
    ['format', 'choice', false],
    ['filter', 'json', false],
  ])
  expect(fields[1]).toMatchObject({ minimum: 1, maximum: 1000, initial: '500' })
})

test('an object without properties has no fields; what is no such object is written as JSON', () => {
  expect(fieldsOf({ type: 'object', properties: {} })).toEqual([])
  expect(fieldsOf({ type: 'object', additionalProperties: false })).toEqual([])
  expect(fieldsOf({ type: 'object' })).toBeNull()
  expect(fieldsOf({ type: 'array' })).toBeNull()
  expect(fieldsOf(true)).toBeNull()
})

test('what was typed becomes values of the right type; what is empty is left out', () => {
  const typed = { since: '2026-01-02', ratio: '0.5', dryRun: 'true', format: 'csv', filter: '{"a":[1]}' }
  expect(readFields(fields, typed)).toEqual({
    ok: true,
    value: { since: '2026-01-02', batch: 500, ratio: 0.5, dryRun: true, format: 'csv', filter: { a: [1] } },
  })
})

test('each mistake is told at its field', () => {
  expect(readFields(fields, { batch: '1.5', ratio: 'many', filter: '{' })).toEqual({
    ok: false,
    wrong: {
      since: 'This is needed.',
      batch: 'Write a whole number.',
      ratio: 'Write a number.',
      filter: 'This is not JSON.',
    },
  })
  expect(readFields(fields, { since: 'x', batch: '2000' })).toEqual({ ok: false, wrong: { batch: 'At most 1000.' } })
})
