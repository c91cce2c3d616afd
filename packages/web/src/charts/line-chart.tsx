import { useRef, useState } from 'react'
import { clockTime } from '../format/time.ts'
import { anchorAt, linePath, scale, ticks, timeTicks } from './scale.ts'
import { useWidth } from './use-width.ts'

export interface Line {
  name: string
  role: 'stable' | 'candidate' | 'other'
  points: readonly (readonly [number, number | null])[]
}

const height = 168
const margin = { top: 10, right: 12, bottom: 24, left: 56 }
const colours = { stable: 'var(--stable)', candidate: 'var(--candidate)', other: 'var(--faint)' }

/** Lines over time, the two sides of a rollout in their own hues; candidate dashed, so that hue is not the only sign. */
export function LineChart({
  title,
  lines,
  format,
  least = 0,
}: {
  title: string
  lines: readonly Line[]
  format: (value: number) => string
  /** The scale reaches at least so far, so that nothing does not fill it. */
  least?: number
}) {
  const frame = useRef<HTMLElement>(null)
  const width = useWidth(frame)
  const [hover, setHover] = useState<number | null>(null)
  const all = lines.flatMap((line) => line.points)
  const times = all.map(([at]) => at)
  const values = all.flatMap(([, value]) => (value === null ? [] : [value]))
  if (values.length === 0) return <p className="faint">Nothing measured in this time.</p>
  const from = Math.min(...times)
  const to = Math.max(...times, from + 1000)
  const top = Math.max(Math.max(...values) * 1.1, least) || 1
  const x = scale(from, to, margin.left, width - margin.right)
  const y = scale(0, top, height - margin.bottom, margin.top)
  const axis = timeTicks(from, to, Math.max(2, Math.floor(width / 110)))
  const at = hover ?? to
  const read = (line: Line) => {
    let best: readonly [number, number | null] | undefined
    for (const point of line.points) {
      if (point[1] !== null && (!best || Math.abs(point[0] - at) < Math.abs(best[0] - at))) best = point
    }
    return best?.[1] ?? null
  }
  return (
    <figure className="chart" ref={frame}>
      <figcaption className="row between">
        <strong>{title}</strong>
        <span className="row">
          {lines.map((line) => {
            const value = read(line)
            return (
              <span key={line.name} className="nowrap">
                <i
                  className={`swatch ${line.role}`}
                  style={line.role === 'other' ? { background: colours.other } : undefined}
                />
                {line.name} {value === null ? '–' : format(value)}
              </span>
            )
          })}
        </span>
      </figcaption>
      <svg
        role="img"
        aria-label={`${title}: ${lines.map((line) => `${line.name} ${format(read(line) ?? 0)}`).join(', ')}`}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        onPointerMove={(event) => {
          const left = event.currentTarget.getBoundingClientRect().left
          const part = (event.clientX - left - margin.left) / (width - margin.left - margin.right)
          setHover(from + Math.min(1, Math.max(0, part)) * (to - from))
        }}
        onPointerLeave={() => setHover(null)}
      >
        {ticks(0, top, 4).map((tick) => (
          <g key={tick}>
            <line
              className={tick === 0 ? 'zero' : 'grid'}
              x1={margin.left}
              x2={width - margin.right}
              y1={y(tick)}
              y2={y(tick)}
            />
            <text x={margin.left - 8} y={y(tick) + 4} textAnchor="end">
              {format(tick)}
            </text>
          </g>
        ))}
        {axis.at.map((instant) => (
          <text key={instant} x={x(instant)} y={height - 6} textAnchor={anchorAt(x(instant), margin.left, width)}>
            {clockTime(instant, axis.seconds)}
          </text>
        ))}
        {lines.map((line) => (
          <path
            key={line.name}
            d={linePath(line.points.map(([instant, value]) => [x(instant), value === null ? null : y(value)]))}
            fill="none"
            stroke={colours[line.role]}
            strokeWidth={1.8}
            strokeLinejoin="round"
            strokeDasharray={line.role === 'candidate' ? '5 2' : undefined}
          />
        ))}
        {lines.flatMap((line) => {
          const measured = line.points.filter(([, value]) => value !== null)
          // So few that a line would hardly be seen, or not at all.
          return measured.length > 2
            ? []
            : measured.map(([instant, value]) => (
                <circle
                  key={`${line.name} ${instant}`}
                  cx={x(instant)}
                  cy={y(value ?? 0)}
                  r={3}
                  fill={colours[line.role]}
                />
              ))
        })}
        {hover !== null && (
          <line x1={x(at)} x2={x(at)} y1={margin.top} y2={height - margin.bottom} stroke="var(--faint)" />
        )}
      </svg>
    </figure>
  )
}
