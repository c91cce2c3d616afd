import type { MetricSeries } from '../../api/types.ts'

const number = (value: number) =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 10) / 10)

/** A value with its unit: rates of one as percent, `1/s` as per second. */
export function formatOf(unit: string): (value: number) => string {
  if (unit === '1') return (value) => `${number(value * 100)}%`
  if (unit === '1/s') return (value) => `${number(value)}/s`
  return (value) => `${number(value)}${unit === '' ? '' : ` ${unit}`}`
}

/** Errors per second say little beside another amount of traffic: they are shown as a rate of the requests. */
export function withErrorRates(series: readonly MetricSeries[]): MetricSeries[] {
  return series.map((each) => {
    if (each.metric !== 'errors') return each
    const requests = series.find(
      (other) => other.metric === 'requests' && other.worker === each.worker && other.version === each.version,
    )
    const at = new Map(requests?.points)
    return {
      ...each,
      metric: 'error-rate',
      unit: '1',
      points: each.points.map(([time, errors]): [number, number | null] => {
        const count = at.get(time) ?? null
        return [time, errors === null || !count ? null : errors / count]
      }),
    }
  })
}
