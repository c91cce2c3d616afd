import type { VerifiedRelease } from '@landfall/engine'
import { type Behaviour, exampleManifest } from '@landfall/engine/testing'
import { digestOf, type Manifest, type ManifestInput, type RolloutPlanInput } from '@landfall/stack'

/** What is wrong with a release. `setup`: it is good, and asks for another frozen resource. */
export const kinds = ['good', 'errors', 'crashing', 'never-ready', 'setup', 'queue'] as const
export type Kind = (typeof kinds)[number]

export interface SimRelease extends VerifiedRelease {
  kind: Kind
}

/** Bakes of the steps in milliseconds, by share: what the invariants measure against. */
export const bakes = new Map([
  [20, 5_000],
  [60, 5_000],
])
export const firstShare = 20
export const scale = { api: 2, jobs: 1 } as const

const plan: RolloutPlanInput = {
  strategy: 'canary',
  steps: [
    { share: 20, bake: '5s' },
    { share: 60, bake: '5s' },
  ],
  analysis: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 }],
  maxSurge: '25%',
  progressDeadline: '60s',
  rollbackWindow: '10s',
  maxBake: '2m',
}

export function makeRelease(version: string, sequence: number, kind: Kind, frozen: number): SimRelease {
  const extra: ManifestInput['resources'] = Array.from({ length: frozen }, (_, index) => ({
    type: 'kv' as const,
    name: `more${index}`,
    lifecycle: 'frozen' as const,
  }))
  const queueTimeout = kind === 'queue' ? `${30 + sequence}s` : '30s'
  const manifest = withCommand(exampleManifest({ code: version, rollout: plan, extra, queueTimeout }))
  return { digest: digestOf({ version, manifest }), version, sequence, manifest, kind }
}

/** Every release answers the same command. */
const withCommand = (manifest: Manifest): Manifest => ({
  ...manifest,
  resources: manifest.resources.map((one) =>
    one.type === 'worker' && one.name === 'api' ? { ...one, commands: { work: { input: {}, deadline: '60s' } } } : one,
  ),
})

export const isBad = (kind: Kind): boolean => kind === 'errors' || kind === 'crashing' || kind === 'never-ready'

export function behaviourOf(kind: Kind): Behaviour {
  switch (kind) {
    case 'errors':
      return { errorRate: 0.4 }
    case 'crashing':
      return { failing: { code: 'CRASH_LOOP', message: 'exits at once' } }
    case 'never-ready':
      return { readyAfterMs: null }
    default:
      return { readyAfterMs: 600 }
  }
}
