import { expect, it } from 'vitest'
import { Chances } from './chance.ts'
import type { Cast, Entry } from './script.ts'
import { simulate } from './simulate.ts'

const cast: Cast = {
  managers: 2,
  deployments: ['pull', 'pull', 'push'].map((model, index) => ({
    ...{ id: `${model}${index}`, model: model as 'pull', group: 'ring-1', consent: 'automatic', traffic: true },
  })),
}

/** Releases that follow each other faster than reports do, each aborted. */
function hurry(seed: number): Entry[] {
  const chance = new Chances(seed).get('hurry')
  const slow = cast.deployments.map(({ id }): Entry => ({ at: 0, kind: 'network', on: id, how: 'slow', ms: 60_000 }))
  const entries: Entry[] = [...slow.slice(0, 2)]
  for (let at = chance.between(2_000, 14_000); at < 60_000; at += chance.between(4_000, 16_000)) {
    entries.push({ at, kind: 'release', release: chance.of(0.5) ? 'good' : 'queue', waves: 'all' })
    if (chance.of(0.7)) entries.push({ at: at + chance.between(500, 9_000), kind: 'control', control: 'abort' })
    if (chance.of(0.2)) entries.push({ at: at + chance.between(500, 9_000), kind: 'config', on: 'pull0' })
  }
  return entries.sort((a, b) => a.at - b.at)
}

it('an abort sends each back to what it really rested on, whatever the manager knew', {
  timeout: 240_000,
}, async () => {
  const failures: string[] = []
  for (let seed = 1; seed <= 12; seed++) {
    const { violation } = await simulate(seed, cast, hurry(seed))
    if (violation) failures.push(`${seed}: ${violation.invariant}: ${violation.message}`)
  }
  expect(failures).toEqual([])
})
