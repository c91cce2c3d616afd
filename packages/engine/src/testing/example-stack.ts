import { type Manifest, type ManifestInput, manifest, type RolloutPlanInput } from '@landfall/stack'

export interface ExampleOptions {
  /** Changes each worker's code; by worker, or for all. */
  code?: string | Partial<Record<'api' | 'jobs', string>>
  rollout?: RolloutPlanInput | null
  scale?: number
  /** Another visibility timeout of the live queue. */
  queueTimeout?: string
  without?: readonly string[]
  extra?: ManifestInput['resources']
}

export const quickCanary: RolloutPlanInput = {
  strategy: 'canary',
  steps: [
    { share: 20, bake: '5s' },
    { share: 60, bake: '5s' },
  ],
  analysis: [{ kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 }],
  // Less than the default: with little room the order of starting and stopping matters most.
  maxSurge: '25%',
}

/** A frozen store, a live queue and a secret, and two workers that roll out: small, with one of each kind that matters. */
export function exampleManifest(options: ExampleOptions = {}): Manifest {
  const rollout = options.rollout === null ? {} : { rollout: options.rollout ?? quickCanary }
  const codeOf = (worker: 'api' | 'jobs') => {
    const text = typeof options.code === 'string' ? options.code : options.code?.[worker]
    return { kind: 'image' as const, reference: `registry.test/${worker}:${text ?? '1'}` }
  }
  const resources: ManifestInput['resources'] = [
    {
      type: 'worker',
      name: 'api',
      lifecycle: 'live',
      code: codeOf('api'),
      public: true,
      scale: options.scale ?? 2,
      uses: [
        { resource: 'files', access: ['read', 'write'] },
        { resource: 'work', access: ['send'] },
      ],
      env: { KEY: { secret: 'key' } },
      ...rollout,
    },
    { type: 'storage', name: 'files', lifecycle: 'frozen' },
    {
      type: 'worker',
      name: 'jobs',
      lifecycle: 'live',
      code: codeOf('jobs'),
      uses: [{ resource: 'work', access: ['receive'] }],
      triggers: [
        { kind: 'cron', schedule: '0 6 * * *' },
        { kind: 'queue', queue: 'work' },
      ],
      ...rollout,
    },
    { type: 'secret', name: 'key', lifecycle: 'live', providedBy: 'customer' },
    { type: 'queue', name: 'work', lifecycle: 'live', visibilityTimeout: options.queueTimeout ?? '30s' },
    ...(options.extra ?? []),
  ]
  return manifest.parse({
    schema: 'landfall.dev/manifest/v1',
    project: 'shop',
    platforms: ['local'],
    resources: resources
      .filter((resource) => !options.without?.includes(resource.name))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  })
}

export const exampleConfig = { secrets: { key: { version: 1 } } }
