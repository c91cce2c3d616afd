import type { MetricSeries } from '../../api/types.ts'
import { sentenceCase } from '../../format/words.ts'

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

/** One chart per metric, and of a worker's own metric one per what is shown of it and per set of attributes; versions are its lines. */
export function chartsOf(series: readonly MetricSeries[]): { title: string; series: MetricSeries[] }[] {
  const by = new Map<string, MetricSeries[]>()
  for (const each of series) {
    const title = titleOf(each)
    by.set(title, [...(by.get(title) ?? []), each])
  }
  return [...by].map(([title, of]) => ({ title, series: of }))
}

function titleOf({ metric, shows, labels }: MetricSeries): string {
  // A metric of a worker's own keeps its name; ours are words.
  if (shows === undefined) return sentenceCase(metric).replace(/ p(\d+)$/, ' p$1')
  const attributes = Object.entries(labels ?? {}).map(([name, value]) => `${name}=${String(value)}`)
  return [`${metric} (${shows === 'rate' ? 'per second' : shows})`, ...attributes].join(' ')
}
