import { useRef, useState } from 'react'
import { clockTime } from '../format/time.ts'
import { amount, difference, type Evidence, metricName, verdictSentence } from './evidence.ts'
import { anchorAt, linePath, scale, ticks, timeTicks } from './scale.ts'
import { useWidth } from './use-width.ts'

const height = 228
const margin = { top: 34, right: 12, bottom: 24, left: 64 }

interface Mark {
  at: number
  label: string
  tone: 'danger' | 'good' | 'step'
}

/** What is drawn of a look: the difference to stable, or the value itself where the limit is absolute. */
const centre = (look: Evidence) => (look.kind === 'compare' ? look.effect : look.value.candidate)

/**
 * From zero, the limit, and what was seen; of the intervals only so much that the first, very wide ones do not flatten
 * what came later. They are cut at the edge.
 */
function domain(series: readonly Evidence[]): [number, number] {
  const late = series.slice(Math.floor(series.length / 4))
  const limit = series.at(-1)?.tolerated ?? 0
  const values = [0, limit * 1.3, ...series.map((look) => centre(look) ?? 0)]
  const edges = late.flatMap((look) => look.interval ?? [])
  const widest = Math.max(...values.map(Math.abs), limit * 2) * 3
  const low = Math.min(...values, ...edges.map((edge) => Math.max(edge, -widest)))
  const high = Math.max(...values, ...edges.map((edge) => Math.min(edge, widest)))
  const room = (high - low) * 0.08 || 1
  return [series.at(-1)?.kind === 'threshold' ? 0 : low - room, high + room]
}

/** When the share was raised, and when the test decided. */
function marksOf(series: readonly Evidence[], shares: readonly number[]): Mark[] {
  const marks: Mark[] = []
  series.forEach((look, index) => {
    if (index > 0 && look.step === series[index - 1]?.step) return
    const share = shares[look.step]
    if (share !== undefined) marks.push({ at: look.at, label: `${share}%`, tone: 'step' })
  })
  const decided = series.find((look) => look.verdict === 'fail')
  if (decided) marks.push({ at: decided.at, label: 'decided: worse', tone: 'danger' })
  const last = series.at(-1)
  if (last?.verdict === 'pass') {
    const since = series.findLastIndex((look) => look.verdict !== 'pass') + 1
    marks.push({ at: series[since]?.at ?? last.at, label: 'no harm seen', tone: 'good' })
  }
  return marks
}

/**
 * The evidence behind a verdict: candidate minus stable with its always-valid interval, which narrows as requests come
 * in; the tolerated effect as a band; the moment of the decision.
 */
export function EvidencePlot({ series, shares }: { series: readonly Evidence[]; shares: readonly number[] }) {
  const frame = useRef<HTMLElement>(null)
  const width = useWidth(frame)
  const [hover, setHover] = useState<number | null>(null)
  const first = series[0]
  const last = series.at(-1)
  if (!first || !last) return null
  const { metric } = last
  const compare = last.kind === 'compare'
  const from = first.at
  const to = Math.max(last.at, from + 1000)
  const [low, high] = domain(series)
  const x = scale(from, to, margin.left, width - margin.right)
  const y = scale(low, high, height - margin.bottom, margin.top)
  const inside = (value: number) => Math.min(height - margin.bottom, Math.max(margin.top, y(value)))
  const withInterval = series.flatMap((look) => (look.interval ? [{ at: look.at, interval: look.interval }] : []))
  const upper = withInterval.map((look) => [x(look.at), inside(look.interval[1])] as const)
  const lower = withInterval.map((look) => [x(look.at), inside(look.interval[0])] as const)
  const area = upper.length > 1 ? `${linePath(upper)}${linePath([...lower].reverse()).replace('M', 'L')}Z` : ''
  const shown = hover === null ? last : (series[hover] ?? last)
  const axis = timeTicks(from, to, Math.max(2, Math.floor(width / 130)))
  const marks = marksOf(series, shares)
  const pick = (clientX: number, left: number) => {
    const at = from + ((clientX - left - margin.left) / (width - margin.left - margin.right)) * (to - from)
    let best = 0
    for (const [index, look] of series.entries()) {
      if (Math.abs(look.at - at) < Math.abs((series[best]?.at ?? 0) - at)) best = index
    }
    setHover(best)
  }
  return (
    <figure className="chart" ref={frame}>
      <figcaption>{verdictSentence(last)}</figcaption>
      <svg
        role="img"
        aria-label={`${metricName(metric)} over time: ${verdictSentence(last)}`}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        onPointerMove={(event) => pick(event.clientX, event.currentTarget.getBoundingClientRect().left)}
        onPointerLeave={() => setHover(null)}
      >
        <rect
          x={margin.left}
          width={width - margin.left - margin.right}
          y={inside(last.tolerated)}
          height={Math.max(0, inside(compare ? Math.min(low, 0) : 0) - inside(last.tolerated))}
          fill="var(--good)"
          opacity={0.09}
        />
        {ticks(low, high, 6).map((tick) => (
          <g key={tick}>
            <line
              className={tick === 0 ? 'zero' : 'grid'}
              x1={margin.left}
              x2={width - margin.right}
              y1={y(tick)}
              y2={y(tick)}
            />
            <text x={margin.left - 8} y={y(tick) + 4} textAnchor="end">
              {compare ? shortDifference(metric, tick) : amount(metric, tick)}
            </text>
          </g>
        ))}
        {axis.at.map((at) => (
          <text key={at} x={x(at)} y={height - 6} textAnchor={anchorAt(x(at), margin.left, width)}>
            {clockTime(at, axis.seconds)}
          </text>
        ))}
        <path d={area} fill="var(--candidate)" opacity={0.16} />
        <path d={linePath(upper)} fill="none" stroke="var(--candidate)" strokeWidth={1} opacity={0.55} />
        <path d={linePath(lower)} fill="none" stroke="var(--candidate)" strokeWidth={1} opacity={0.55} />
        <line
          x1={margin.left}
          x2={width - margin.right}
          y1={inside(last.tolerated)}
          y2={inside(last.tolerated)}
          stroke="var(--good)"
          strokeDasharray="4 3"
          strokeWidth={1.5}
        />
        <path
          d={linePath(series.map((look) => [x(look.at), centre(look) === null ? null : inside(centre(look) ?? 0)]))}
          fill="none"
          stroke="var(--candidate)"
          strokeWidth={2}
          strokeLinejoin="round"
        />
        {marks.map((mark) => (
          <Marker key={`${mark.tone}${mark.at}`} mark={mark} x={x(mark.at)} width={width} />
        ))}
        {hover !== null && (
          <line x1={x(shown.at)} x2={x(shown.at)} y1={margin.top} y2={height - margin.bottom} stroke="var(--faint)" />
        )}
        <text
          x={width - margin.right - 4}
          y={inside(last.tolerated) + (inside(last.tolerated) < 60 ? 14 : -5)}
          textAnchor="end"
          className="halo"
          style={{ fill: 'var(--good)' }}
        >
          tolerated {compare ? difference(metric, last.tolerated) : amount(metric, last.tolerated)}
        </text>
      </svg>
      <span className="readout">{readout(shown)}</span>
    </figure>
  )
}

function Marker({ mark, x, width }: { mark: Mark; x: number; width: number }) {
  const step = mark.tone === 'step'
  const colour = step ? 'var(--border-strong)' : `var(--${mark.tone})`
  const nearEnd = x > width - (step ? 44 : 120)
  return (
    <g>
      <line
        x1={x}
        x2={x}
        y1={step ? margin.top - 12 : 4}
        y2={height - margin.bottom}
        stroke={colour}
        strokeWidth={step ? 1 : 1.5}
        strokeDasharray={step ? '2 3' : undefined}
      />
      <text
        x={nearEnd ? x - 4 : x + 4}
        y={step ? margin.top - 5 : 13}
        textAnchor={nearEnd ? 'end' : 'start'}
        style={step ? undefined : { fill: colour, fontWeight: 600 }}
      >
        {mark.label}
      </text>
    </g>
  )
}

const shortDifference = (metric: string, value: number) =>
  value === 0 ? '0' : difference(metric, value).replace(' points', '%')

function readout(look: Evidence): string {
  const parts = [clockTime(look.at)]
  if (look.kind === 'compare' && look.effect !== null) parts.push(difference(look.metric, look.effect))
  else parts.push(amount(look.metric, look.value.candidate))
  if (look.interval) {
    const [low, high] = look.interval
    parts.push(`interval ${difference(look.metric, low)} to ${difference(look.metric, high)}`)
  }
  parts.push(
    `${look.sample.candidate.toLocaleString('en')} candidate / ${look.sample.stable.toLocaleString('en')} stable`,
  )
  if (look.log10e !== null) parts.push(`e-value ${eValue(look.log10e)}, decides at ${eValue(-Math.log10(look.alpha))}`)
  return parts.join(' · ')
}

/** An e-value from its logarithm: `80`, `0.06`, `10^6`. */
function eValue(log10: number): string {
  if (log10 > 4) return `10^${Math.round(log10)}`
  if (log10 < -2) return 'below 0.01'
  const value = 10 ** log10
  return value >= 10 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(2)))
}
