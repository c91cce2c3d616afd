import type { CSSProperties } from 'react'
import type { Rollout } from '../../api/types.ts'

type Wave = Rollout['waves'][number]

const parts = [
  ['succeeded', 'there'],
  ['inFlight', 'on the way'],
  ['failed', 'failed'],
  ['returned', 'went back'],
] as const

const remaining = (wave: Wave) =>
  Math.max(0, wave.counted - wave.succeeded - wave.inFlight - wave.failed - wave.returned)

/** The deployments of a wave as one bar: where each of them is. */
export function WaveSegments({ wave }: { wave: Wave }) {
  const rest = remaining(wave)
  return (
    <span className="segments" aria-hidden="true">
      {parts.map(([part]) =>
        wave[part] > 0 ? <span key={part} className={part} style={{ '--n': wave[part] } as CSSProperties} /> : null,
      )}
      {rest > 0 && <span style={{ '--n': rest } as CSSProperties} />}
    </span>
  )
}

/** The waves of a rollout, left to right. */
export function Waves({ rollout }: { rollout: Rollout }) {
  return (
    <ol className="waves">
      {rollout.waves.map((wave, index) => {
        const place = index < rollout.wave ? 'behind' : index === rollout.wave ? 'at' : 'ahead'
        const current = place === 'at' && rollout.finishedAt === null
        const rest = remaining(wave)
        const out = wave.total - wave.counted
        return (
          <li
            key={wave.name}
            className={`wave ${current ? 'current' : place}`}
            aria-current={current ? 'step' : undefined}
          >
            <h3>
              {wave.name}
              <span className="faint">
                {current ? 'now' : place === 'ahead' && rollout.finishedAt === null ? 'ahead' : ''}
              </span>
            </h3>
            <span className="wave-big">
              {wave.succeeded} <small>of {wave.counted} there</small>
            </span>
            <WaveSegments wave={wave} />
            <span className="wave-legend">
              {parts.slice(1).map(([part, word]) =>
                wave[part] > 0 ? (
                  <span key={part}>
                    {wave[part]} {word}
                  </span>
                ) : null,
              )}
              {rest > 0 && <span>{rest} not started</span>}
              {out > 0 && <span>{out} not counted</span>}
            </span>
          </li>
        )
      })}
    </ol>
  )
}
