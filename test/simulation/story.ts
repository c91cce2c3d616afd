import type { Bug } from './bug-list.ts'
import { inWords, writeScript } from './script.ts'
import { shrink } from './shrink.ts'
import { type Outcome, simulate } from './simulate.ts'

/** Plays one seed, whole. */
export async function playSeed(seed: number, bug?: Bug): Promise<Outcome> {
  const { cast, entries } = writeScript(seed)
  return simulate(seed, cast, entries, bug?.seams())
}

/**
 * What a failing seed comes down to, for a person: the violated invariant, who there is, the few events that are enough, and the command
 * that plays it again. Played twice first: a run that can't be repeated would be a defect of the simulation itself.
 */
export async function tellFailure(seed: number, first: Outcome, bug?: Bug): Promise<string> {
  const again = await playSeed(seed, bug)
  if (again.hash !== first.hash) return `seed ${seed}: NOT REPEATABLE, ${first.hash} and ${again.hash}`
  const { cast, entries } = writeScript(seed)
  const { violation } = first
  const before = entries.filter(({ at }) => at <= (violation?.at ?? 0))
  const few = await shrink(before, async (some) => {
    const outcome = await simulate(seed, cast, some, bug?.seams())
    return outcome.violation?.invariant === violation?.invariant
  })
  const last = await simulate(seed, cast, few, bug?.seams())
  const who = cast.deployments.map(
    ({ id, group, consent, traffic }) => `${id} (${group}, ${consent}${traffic ? '' : ', no traffic'})`,
  )
  return [
    `seed ${seed}: ${violation?.invariant}`,
    `  ${last.violation?.message ?? violation?.message}`,
    `  at ${((last.violation?.at ?? 0) / 1000).toFixed(1)} s; ${cast.managers} managers; ${who.join(', ')}`,
    ...few.map((entry) => `  ${inWords(entry)}`),
    `  again: npm run simulate -- --seeds 1 --from ${seed}${bug ? ` --bug ${bug.name}` : ''}`,
  ].join('\n')
}
