import { expect, it } from 'vitest'
import type { Cast, Entry } from './script.ts'
import { simulate } from './simulate.ts'

const cast: Cast = {
  managers: 1,
  deployments: [
    { id: 'push0', model: 'push', group: 'ring-1', consent: 'automatic', traffic: true },
    { id: 'airgapped1', model: 'airgapped', group: 'ring-1', consent: 'automatic', traffic: true },
  ],
}
const entries: Entry[] = [
  { at: 20_000, kind: 'carry', on: 'airgapped1', delays: [1_000] },
  { at: 60_000, kind: 'export', on: 'airgapped1', delays: [1_000] },
  { at: 90_000, kind: 'pin', on: 'airgapped1' },
  { at: 120_000, kind: 'release', release: 'good', waves: 'all', channel: 'stable' },
]

// Seed 62008: people made it one with the release that it was pinned against, and were astonished that it went there.
it('nobody makes a bundle with another release for a site that is pinned', { timeout: 120_000 }, async () => {
  expect((await simulate(1, cast, entries)).violation).toBeNull()
})
