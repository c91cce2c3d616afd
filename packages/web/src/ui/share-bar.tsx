import { percent } from '../format/words.ts'

/**
 * A share, drawn: stable and candidate in their two hues, what is served as the fill, what is asked as the tick.
 * Null means that nothing moves.
 */
export function ShareBar({
  asked,
  served,
  label,
  words = true,
  stable,
  candidate,
}: {
  asked: number | null
  served: number | null
  label: string
  words?: boolean
  stable?: string | null | undefined
  candidate?: string | null | undefined
}) {
  // Without a candidate nothing is shared: what runs serves all.
  const alone = candidate === null
  const share = alone ? 0 : (served ?? 0)
  const told = alone
    ? `${label}: ${stable ?? 'stable'} serves all`
    : `${label}: candidate ${candidate ?? ''} serves ${percent(share)}, asked ${percent(asked ?? 0)}`
  return (
    <div className="share">
      <span className={`share-track ${served === null || stable === null ? 'idle' : ''}`} role="img" aria-label={told}>
        <span className={`share-fill ${share >= 100 ? 'whole' : ''}`} style={{ width: `${Math.min(100, share)}%` }} />
        {!alone && asked !== null && asked > 0 && asked < 100 && (
          <span className="share-tick" style={{ left: `${asked}%` }} title={`asked ${percent(asked)}`} />
        )}
      </span>
      {words && (
        <span className="share-words">
          {!alone && (
            <span>
              <i className="swatch candidate" />
              {candidate ?? 'candidate'} serves {percent(share)}
              {asked !== null && Math.abs(asked - share) >= 0.5 && (
                <span className="faint"> · asked {percent(asked)}</span>
              )}
            </span>
          )}
          {stable === null ? (
            <span className="faint">{share > 0 ? '' : 'nothing serves yet'}</span>
          ) : (
            <span>
              <i className="swatch" />
              {stable ?? 'stable'} serves {percent(100 - share)}
            </span>
          )}
        </span>
      )}
    </div>
  )
}
