import { execFileSync } from 'node:child_process'

/**
 * Which part a run of `npm test` takes: of the commit where there is one, else of the day, so that over many of them all is taken.
 * `LANDFALL_CHAOS_PART=N` takes a named one again.
 *
 * @param of how many parts there are
 * @param day days since the epoch
 * @returns the part, from 1, and why
 */
export function partOf(of: number, environment: Readonly<Record<string, string | undefined>>, day: number) {
  const asked = Number(environment.LANDFALL_CHAOS_PART)
  if (Number.isInteger(asked) && asked >= 1 && asked <= of) return { part: asked, why: 'asked for' }
  const commit = commitOf()
  if (commit !== null) return { part: (Number.parseInt(commit.slice(0, 8), 16) % of) + 1, why: `commit ${commit}` }
  return { part: (day % of) + 1, why: `day ${day}` }
}

function commitOf(): string | null {
  try {
    const text = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return text.trim().slice(0, 12) || null
  } catch {
    return null
  }
}
