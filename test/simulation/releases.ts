import type { VerifiedRelease } from '@landfall/engine'
import { type Behaviour, exampleManifest } from '@landfall/engine/testing'
import { digestOf, type Manifest, type ManifestInput, type RolloutPlanInput } from '@landfall/stack'
import type { Channel } from './channels.ts'

/**
 * What is wrong with a release. `setup`: it is good, and asks for another frozen resource; `late`: it crashes some seconds after it
 * has taken everything over.
 */
export const kinds = ['good', 'errors', 'crashing', 'never-ready', 'setup', 'queue', 'late'] as const
export type Kind = (typeof kinds)[number]

export interface SimRelease extends VerifiedRelease {
  kind: Kind
  channel: Channel
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

export function makeRelease(
  version: string,
  sequence: number,
  kind: Kind,
  frozen: number,
  channel: Channel,
): SimRelease {
  const extra: ManifestInput['resources'] = Array.from({ length: frozen }, (_, index) => ({
    type: 'kv' as const,
    name: `more${index}`,
    lifecycle: 'frozen' as const,
  }))
  const queueTimeout = kind === 'queue' ? `${30 + sequence}s` : '30s'
  const manifest = withCommand(exampleManifest({ code: version, rollout: plan, extra, queueTimeout }))
  return { digest: digestOf({ version, manifest }), version, sequence, manifest, kind, channel }
}

/** Every release answers the same command. */
const withCommand = (manifest: Manifest): Manifest => ({
  ...manifest,
  resources: manifest.resources.map((one) =>
    one.type === 'worker' && one.name === 'api' ? { ...one, commands: { work: { input: {}, deadline: '60s' } } } : one,
  ),
})

export const isBad = (kind: Kind): boolean => kind === 'errors' || kind === 'crashing' || kind === 'never-ready'

/** `servesAllMs`: for how many milliseconds it has served everything; null: it does not. */
export function behaviourOf(kind: Kind, servesAllMs: number | null = null): Behaviour {
  switch (kind) {
    case 'errors':
      return { errorRate: 0.4 }
    case 'crashing':
      return { failing: { code: 'CRASH_LOOP', message: 'exits at once' } }
    case 'never-ready':
      return { readyAfterMs: null }
    case 'late':
      return (servesAllMs ?? 0) < 6_000 ? { readyAfterMs: 600 } : { failing: { code: 'CRASH_LOOP', message: 'exits' } }
    default:
      return { readyAfterMs: 600 }
  }
}
