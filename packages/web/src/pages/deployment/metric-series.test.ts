import { expect, test } from 'vitest'
import { formatOf, withErrorRates } from './metric-series.ts'

test('errors become a rate of the requests of their own version; without requests there is none', () => {
  const base = { unit: '1/s', worker: 'api' }
  const [, errors] = withErrorRates([
    {
      ...base,
      metric: 'requests',
      version: '2',
      points: [
        [1, 50],
        [2, 0],
        [3, null],
      ],
    },
    {
      ...base,
      metric: 'errors',
      version: '2',
      points: [
        [1, 1],
        [2, 0],
        [3, 1],
        [4, 1],
      ],
    },
    { ...base, metric: 'requests', version: '1', points: [[4, 10]] },
  ])
  expect(errors).toMatchObject({
    metric: 'error-rate',
    unit: '1',
    points: [
      [1, 0.02],
      [2, null],
      [3, null],
      [4, null],
    ],
  })
})

test('values carry their unit', () => {
  expect(formatOf('1')(0.031)).toBe('3.1%')
  expect(formatOf('1/s')(1234)).toBe('1,234/s')
  expect(formatOf('ms')(12.34)).toBe('12.3 ms')
})
