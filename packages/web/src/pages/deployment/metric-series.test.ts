import { expect, test } from 'vitest'
import { chartsOf, formatOf, withErrorRates } from './metric-series.ts'

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

test('a worker’s own metric has a chart for each set of its attributes, with the versions as lines', () => {
  const of = (version: string, route: string, shows: 'rate' | 'p99') => ({
    metric: 'invoices.made',
    unit: '1/s',
    worker: 'api',
    version,
    points: [],
    shows,
    labels: { route },
  })
  expect(
    chartsOf([of('1', '/a', 'rate'), of('2', '/a', 'rate'), of('1', '/b', 'rate')]).map((chart) => [
      chart.title,
      chart.series.map(({ version }) => version),
    ]),
  ).toEqual([
    ['invoices.made (per second) route=/a', ['1', '2']],
    ['invoices.made (per second) route=/b', ['1']],
  ])
})
