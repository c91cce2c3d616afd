import type { Platform } from '@landfall/engine'
import { expect, it } from 'vitest'
import { noSeams } from './bugs.ts'
import type { Cast } from './script.ts'
import { simulate } from './simulate.ts'

const cast: Cast = {
  managers: 1,
  deployments: [{ id: 'push0', model: 'push', group: 'ring-1', consent: 'automatic', traffic: true }],
}
const late = [{ at: 20_000, kind: 'release', release: 'late', waves: 'all', channel: 'stable' } as const]

/** A deliberate bug: once a version has everything, nobody sees that it crashes. */
function unwatched(platform: Platform): Platform {
  const { worker } = platform.compute
  if (!worker) return platform
  const observe: typeof worker.observe = async (...given) => {
    const seen = await worker.observe(...given)
    if (!Object.values(seen.weights).some((share) => share >= 100)) return seen
    const blind = Object.entries(seen.versions).map(([id, { failing: _, ...version }]) => [id, version])
    return { ...seen, versions: Object.fromEntries(blind) }
  }
  return new Proxy(platform, {
    get: (of, key) => {
      if (key === 'compute') return { ...of.compute, worker: { ...worker, observe } }
      const value: unknown = Reflect.get(of, key, of)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
}

it('what crashes inside its rollback window returns in time', { timeout: 120_000 }, async () => {
  expect((await simulate(1, cast, late)).violation).toBeNull()
})

it('it is noticed where it does not', { timeout: 120_000 }, async () => {
  const { violation } = await simulate(1, cast, late, { ...noSeams, wrapPlatform: unwatched })
  expect(violation?.invariant).toBe('a failure in the window returns')
})
