import type { Desired, StateStore, Target } from '@landfall/engine'
import { digestOf, type Manifest, manifest } from '@landfall/stack'
import { noSeams, type Seams } from './bugs.ts'
import { moreBugs } from './bugs-more.ts'
import type { DeploymentRow } from './rows.ts'

/** A deliberate bug: made anew for each world, found within so many seeds from 1. */
export interface Bug {
  name: string
  /** What is broken, in a line. */
  breaks: string
  within: number
  /** The first seed that found it. */
  seed: number
  /** The invariant that it must break, where another might by chance. */
  invariant?: string
  seams: () => Seams
}

const bug = (
  name: string,
  breaks: string,
  seed: number,
  within: number,
  seams: () => Partial<Seams>,
  invariant?: string,
): Bug => ({
  ...(invariant ? { invariant } : {}),
  name,
  breaks,
  seed,
  within,
  seams: () => ({ ...noSeams, ...seams() }),
})

type Worker = Extract<Manifest['resources'][number], { type: 'worker' }>

/** A release whose workers' rollout plans are read otherwise than they were written. */
const plans = (change: (plan: NonNullable<Worker['rollout']>) => object): Partial<Seams> => ({
  release: (release) => ({
    ...release,
    manifest: manifest.parse({
      ...release.manifest,
      resources: release.manifest.resources.map((one) =>
        one.type === 'worker' && one.rollout ? { ...one, rollout: { ...one.rollout, ...change(one.rollout) } } : one,
      ),
    }),
  }),
})

/** A platform with one method of its workers replaced. */
const workers = (
  change: (method: string, call: (...given: never[]) => Promise<unknown>) => unknown,
): Partial<Seams> => ({
  wrapPlatform: (platform) => {
    const wrap = (controller: object): object =>
      new Proxy(controller, {
        get: (of, key) => {
          const value: unknown = Reflect.get(of, key, of)
          if (typeof value !== 'function') return value
          const call = (...given: never[]) => Reflect.apply(value, of, given) as Promise<unknown>
          return change(String(key), call) ?? call
        },
      })
    const worker = wrap(platform.compute.worker as object)
    return new Proxy(platform, {
      get: (of, key) => {
        if (key === 'compute') return { ...of.compute, worker }
        const value: unknown = Reflect.get(of, key, of)
        return typeof value === 'function' ? value.bind(of) : value
      },
    })
  },
})

/** A store that shows the engine another desired than the one there. */
function showing(store: StateStore, shown: (desired: Desired) => Desired): StateStore {
  return {
    ...store,
    claim: async (...given) => {
      const claimed = await store.claim(...given)
      return claimed && { ...claimed, desired: shown(claimed.desired) }
    },
    desired: async (lease) => shown(await store.desired(lease)),
  }
}

interface Seen {
  versions: Record<string, { available: number; desired: number }>
  weights: Record<string, number>
}

const idOf = ({ deployment, epoch }: { deployment: string; epoch: number }) => `${deployment} ${epoch}`

export const bugs: readonly Bug[] = [
  bug('fencing-dropped', 'a write with a stale epoch is taken', 9, 27, () => ({ store: { fenced: () => true } })),
  bug('lease-ignored', 'a deployment is claimed although its lease runs', 1, 5, () => ({
    store: { isFree: () => true },
  })),
  bug('new-target-ignored', 'the target that a process saw first counts there for good', 1, 10, () => ({
    wrapStore: (store) => {
      const first = new Map<string, Target | null>()
      const shown = (desired: Desired): Desired => {
        const { id } = desired.deployment
        if (desired.target && !first.has(id)) first.set(id, desired.target)
        return { ...desired, target: first.get(id) ?? desired.target }
      }
      return showing(store, shown)
    },
  })),
  bug('wake-time-forgotten', 'a due time wakes nobody', 26, 39, () => ({
    store: { isDue: (row: DeploymentRow) => row.requested > row.observed },
  })),
  bug('persist-skipped', 'one run in seven writes nothing', 2, 10, () => {
    let claims = 0
    const mute = new Set<string>()
    return {
      wrapStore: (store) => ({
        ...store,
        claim: async (...given) => {
          const claimed = await store.claim(...given)
          if (claimed && ++claims % 7 === 0) mute.add(idOf(claimed.lease))
          return claimed
        },
        persist: async (lease, ...given) => (mute.has(idOf(lease)) ? undefined : store.persist(lease, ...given)),
      }),
    }
  }),
  bug('approval-by-release', 'an approval lets in every target of the release, whatever its config', 18, 54, () => ({
    wrapStore: (store) => {
      const releases = new Map<string, string>()
      return showing(store, (desired) => {
        const { target, answers } = desired
        if (!target) return desired
        releases.set(target.digest, target.release)
        const same = (of: string) => releases.get(of) === target.release
        return {
          ...desired,
          answers: answers.map((answer) => (same(answer.target) ? { ...answer, target: target.digest } : answer)),
        }
      })
    },
  })),
  bug('approval-for-anything', 'an approval lets in whatever is asked next', 3, 10, () => ({
    wrapStore: (store) =>
      showing(store, (desired) => {
        const { target, answers } = desired
        return target ? { ...desired, answers: answers.map((one) => ({ ...one, target: target.digest })) } : desired
      }),
  })),
  bug('approval-ignored', 'updates begin without the approval that they wait for', 3, 10, () => ({
    wrapStore: (store) =>
      showing(store, (desired) => ({ ...desired, customer: { ...desired.customer, updates: 'automatic' } })),
  })),
  bug('setup-assumed', 'a release brings its own setup', 3, 10, () => ({
    wrapStore: (store) =>
      showing(store, (desired) => ({ ...desired, setup: desired.target && { release: desired.target.release } })),
  })),
  bug('revocation-ignored', 'the runner goes on after access was revoked', 4, 12, () => ({
    wrapStore: (store) =>
      showing(store, (desired) => ({ ...desired, customer: { ...desired.customer, access: 'granted' } })),
  })),
  bug('analysis-ignored', 'nothing is compared before a promotion', 5, 15, () => plans(() => ({ analysis: [] }))),
  bug('no-data-passes', 'no data is taken for success', 6, 18, () =>
    plans(() => ({ onNoData: 'promote-on-health', maxBake: '6s' })),
  ),
  bug('bake-skipped', 'a step passes as soon as it is reached', 2, 10, () =>
    plans(({ steps }) => ({ steps: steps.map((step) => ({ ...step, bake: '0s' })) })),
  ),
  bug('steps-skipped', 'a rollout begins with its last step', 2, 10, () =>
    plans(({ steps }) => ({ steps: steps.slice(-1) })),
  ),
  bug('surge-ignored', 'twice the instances are allowed', 1, 5, () => plans(() => ({ maxSurge: '100%' }))),
  bug('availability-assumed', 'instances count as available once they are asked for', 1, 10, () =>
    workers((method, call) =>
      method === 'observe'
        ? async (...given: never[]) => {
            const seen = (await call(...given)) as Seen
            for (const version of Object.values(seen.versions)) version.available = version.desired
            return seen
          }
        : undefined,
    ),
  ),
  bug('weight-not-read-back', 'the router is believed to be set as soon as it was told', 1, 40, () => {
    const told = new Map<string, Record<string, number>>()
    return workers((method, call) => {
      if (method === 'route')
        return async (context: never, shares: never, data: never) => {
          told.set(
            (context as { deployment: { id: string }; name: string }).deployment.id +
              (context as { name: string }).name,
            shares,
          )
          // One in three never reaches the router.
          return digestOf(shares).charCodeAt(10) % 3 === 0 ? { kind: 'done', data: {} } : call(context, shares, data)
        }
      if (method === 'observe')
        return async (context: never, data: never) => {
          const seen = (await call(context, data)) as Seen & { served: Record<string, number> }
          const known = told.get(
            (context as { deployment: { id: string }; name: string }).deployment.id +
              (context as { name: string }).name,
          )
          return known ? { ...seen, weights: known, served: known } : seen
        }
      return undefined
    })
  }),
  bug('old-version-kept', 'removing a version only says that it did', 1, 5, () =>
    workers((method) => (method === 'removeVersion' ? async () => ({ kind: 'done', data: {} }) : undefined)),
  ),
  bug('max-in-flight-ignored', 'a fleet rollout tells everybody at once', 3, 10, () => ({
    fleet: { rollout: (rollout) => ({ ...rollout, plan: { ...rollout.plan, maxInFlight: 100 } }) },
  })),
  bug('freeze-ignored', 'a freeze holds nobody', 8, 24, () => ({
    fleet: { reading: (reading) => ({ ...reading, freeze: null }) },
  })),
  bug('pin-ignored', 'pinned deployments are told by rollouts', 1, 40, () => ({
    fleet: {
      reading: (reading) => ({ ...reading, rows: reading.rows.map((row) => ({ ...row, pinned: null })) }),
      tellable: (row) => !row.deleted && row.operation === 'run',
    },
  })),
  bug('take-over-ignored', 'an older rollout tells what a newer one has told since', 4, 12, () => ({
    fleet: {
      reading: (reading) => ({
        ...reading,
        rows: reading.rows.map((row) => ({ ...row, taken_over: false, ahead: false })),
      }),
    },
  })),
  bug('return-forgotten', 'an abort sends nobody back', 2, 15, () => ({
    fleet: { look: (look) => ({ ...look, back: [] }) },
  })),
  bug('return-to-nothing', 'an abort sends deployments back to nothing', 1, 10, () => ({
    fleet: { look: (look) => ({ ...look, back: look.back.map((one) => ({ ...one, to: null })) }) },
  })),
  bug('report-replayed', 'a report that was overtaken is taken', 5, 15, () => ({ sync: { isNewer: () => true } })),
  bug('audit-link-dropped', 'the manager takes an agent’s chain with a link left out', 1, 10, () => ({
    sync: { links: (links) => (links.length > 2 ? links.filter((_, index) => index !== 1) : links) },
  })),
  bug('order-rewound', 'an old order that comes late is taken for a new one', 3, 15, () => ({
    wrapOrders: (apply) => {
      let highest = 0
      return (order) => {
        const given = order as { generation: number }
        highest = Math.max(highest + 1, given.generation)
        return apply({ ...given, generation: highest })
      }
    },
  })),
  bug(
    'too-few-available',
    'half of the instances may be missing',
    1,
    10,
    () => plans(() => ({ maxUnavailable: '50%', maxSurge: 0 })),
    'enough instances are available',
  ),
  bug(
    'traffic-left-behind',
    'the way back of traffic is believed to be set before it is',
    6,
    30,
    () => {
      const left = new Map<string, number>()
      return workers((method, call) =>
        method === 'route'
          ? async (context: never, shares: never, data: never) => {
              const { deployment, name } = context as { deployment: { id: string }; name: string }
              const key = `${deployment.id} ${name} ${Object.keys(shares).sort().join()}`
              const times = left.get(key) ?? 0
              left.set(key, times + 1)
              const back = Object.values(shares).length === 1 && times % 40 < 39 && times > 0
              return back ? { kind: 'done', data: {} } : call(context, shares, data)
            }
          : undefined,
      )
    },
    'an abort moves traffic at once',
  ),
  bug(
    'crash-loop-unseen',
    'nobody is told that a version crashes at its start',
    29,
    90,
    () =>
      workers((method, call) =>
        method === 'observe'
          ? async (...given: never[]) => {
              const seen = (await call(...given)) as { versions: Record<string, object> }
              const versions = Object.entries(seen.versions).map(([id, version]) => [
                id,
                { ...version, failing: undefined },
              ])
              return { ...seen, versions: Object.fromEntries(versions) }
            }
          : undefined,
      ),
    'a crash loop fails before any deadline',
  ),
  bug(
    'version-by-chance',
    'the same target gives another version each time it is read',
    2,
    10,
    () => {
      let read = 0
      return {
        release: (release) => ({
          ...release,
          manifest: manifest.parse({
            ...release.manifest,
            resources: release.manifest.resources.map((one) =>
              one.type === 'worker' ? { ...one, env: { ...one.env, READ: `${read++}` } } : one,
            ),
          }),
        }),
      }
    },
    'nothing is made twice',
  ),
  ...moreBugs,
]
