import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { digestOf } from '../canonical/digest.ts'
import { LandfallError } from '../errors/landfall-error.ts'
import { parseManifest } from '../manifest/parse-manifest.ts'
import {
  allAtOnce,
  approval,
  blueGreen,
  canary,
  command,
  compileStack,
  container,
  cron,
  type Definition,
  errorRate,
  input,
  job,
  kv,
  latency,
  manifests,
  postgres,
  queue,
  restarts,
  Stack,
  type StackOptions,
  secret,
  smoke,
  storage,
  webhook,
  window,
  worker,
} from './index.ts'

const uploads = storage('uploads', { lifecycle: 'frozen' })
const index = kv('index', { lifecycle: 'frozen' })
const jobs = queue('jobs', { lifecycle: 'frozen', visibilityTimeout: '5s' })
const region = input.enum(['eu', 'us'], { providedBy: 'customer', default: 'eu' })
const stripe = secret('stripe-key', { providedBy: 'customer' })

const api = worker('api', {
  source: './src/api.ts',
  public: true,
  uses: [uploads.readWrite(), index.read(), index.write(), jobs.send()],
  env: { LOG_LEVEL: 'info', REGION: region, SMTP_PASSWORD: secret('smtp', { providedBy: 'vendor' }) },
  secrets: [stripe],
  health: { path: '/healthz' },
  rollout: canary({
    steps: [
      { share: 17, bake: '3m' },
      { share: 50, bake: '3m', gates: [approval({ by: 'customer' }), webhook('https://ci.example.com/gate')] },
      { share: 83, bake: '2m', pause: 'until-resumed' },
    ],
    analysis: [errorRate({ worseBy: 0.01 }), latency('p99', { worseBy: '100ms' }), restarts({ max: 2 })],
    prePromotion: [window(), job('digest'), smoke('reindex', { input: { all: true } })],
    postPromotion: [errorRate({ max: 0.05 })],
    rollbackWindow: '5m',
  }),
  commands: {
    reindex: command({ input: z.object({ all: z.boolean() }), output: z.object({ count: z.int() }), deadline: '2m' }),
  },
})
const digest = worker('digest', {
  source: './src/digest.ts',
  on: [cron('0 6 * * *'), jobs.messages({ concurrency: 4 }), uploads.created({ prefix: 'in/' })],
  uses: [uploads.read(), api.invoke()],
  secrets: [stripe],
  rollout: blueGreen({ bake: '1m' }),
})
const resources: Definition[] = [uploads, index, jobs, api, digest]

const options = (more: Partial<StackOptions> = {}): StackOptions => ({
  resources,
  platforms: ['aws', 'gcp', 'azure', 'kubernetes', 'local'],
  inputs: { region },
  ...more,
})

/** The problems of a stack that must not compile, as `path message`. */
function problems(more: Partial<StackOptions>, name = 'acme'): string[] {
  try {
    compileStack(new Stack(name, options(more)))
  } catch (error) {
    if (LandfallError.is(error, 'E_STACK_INVALID')) return error.problems.map((one) => `${one.path} ${one.message}`)
    throw error
  }
  throw new Error('the stack compiled')
}
const local = { platforms: ['local'] as const }
const source = './x.ts'

describe('compileStack', () => {
  it('gives the manifest of the design, with defaults filled in and resources sorted', () => {
    const manifest = compileStack(new Stack('acme-invoices', options()))
    expect(manifest.resources.map((one) => one.name)).toEqual([
      'api',
      'digest',
      'index',
      'jobs',
      'smtp',
      'stripe-key',
      'uploads',
    ])
    const one = manifest.resources[0]
    if (one?.type !== 'worker') throw new Error('not a worker')
    expect(one.uses).toEqual([
      { resource: 'index', access: ['read', 'write'] },
      { resource: 'jobs', access: ['send'] },
      { resource: 'stripe-key', access: ['read'] },
      { resource: 'uploads', access: ['read', 'write'] },
    ])
    expect(one.env).toEqual({ LOG_LEVEL: 'info', REGION: { input: 'region' }, SMTP_PASSWORD: { secret: 'smtp' } })
    expect(one.rollout?.analysis).toEqual([
      { kind: 'compare', metric: 'error-rate', worseBy: 0.01, minSample: 50 },
      { kind: 'compare', metric: 'latency-p99', worseBy: 100, minSample: 50 },
      { kind: 'threshold', metric: 'restarts', max: 2, minSample: 0 },
    ])
    expect(one.health).toMatchObject({ interval: '1s', failures: 3 })
    expect(one.commands.reindex?.input).toEqual({
      type: 'object',
      properties: { all: { type: 'boolean' } },
      required: ['all'],
    })
  })

  it('survives the way through JSON', () => {
    const manifest = compileStack(new Stack('acme', options()))
    expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest)
  })

  it('gives the same digest, whatever the order of the definitions', () => {
    const expected = digestOf(compileStack(new Stack('acme', options())))
    const flip = worker('digest', {
      rollout: blueGreen({ bake: '1m' }),
      secrets: [stripe],
      uses: [api.invoke(), uploads.read()],
      on: [uploads.created({ prefix: 'in/' }), cron('0 6 * * *'), jobs.messages({ concurrency: 4 })],
      source: './src/digest.ts',
    })
    fc.assert(
      fc.property(
        fc.shuffledSubarray([uploads, index, jobs, api, flip], { minLength: 5 }),
        fc.shuffledSubarray(['aws', 'gcp', 'azure', 'kubernetes', 'local'] as const, { minLength: 5 }),
        (some, platforms) => {
          expect(digestOf(compileStack(new Stack('acme', options({ resources: some, platforms }))))).toBe(expected)
        },
      ),
      { numRuns: 20 },
    )
    expect(digestOf(compileStack(new Stack('acme', options({ platforms: ['local'] }))))).not.toBe(expected)
  })

  it('does not change what it was given', () => {
    const stack = new Stack('acme', options())
    const first = compileStack(stack)
    expect(compileStack(stack)).toEqual(first)
  })

  it('takes every kind of resource', () => {
    const all: Definition[] = [
      ...resources,
      postgres('db', { version: '17' }),
      manifests('ingress', { yaml: ['ingress.yaml'] }),
      manifests('chart', { helm: { chart: 'oci://example.com/chart', values: { replicas: 2 } } }),
      manifests('overlay', { kustomize: './overlay' }),
      container('web', { image: 'ghcr.io/acme/web@sha256:0', port: 80, rollout: allAtOnce() }),
    ]
    const manifest = compileStack(new Stack('acme', options({ resources: all, platforms: ['kubernetes'] })))
    expect(new Set(manifest.resources.map((one) => one.type)).size).toBe(8)
  })
})

describe('a stack that can not be', () => {
  it('is told all its problems at once, each with its place', () => {
    const bad = worker('bad', {
      source,
      uses: [storage('elsewhere').read(), { resource: 'jobs', access: ['read'] }, uploads.read()],
      on: [cron('61 * * * *'), queue('nowhere').messages()],
      env: { NODE_OPTIONS: '--require ./evil.js', OK: input.string({ providedBy: 'vendor' }) },
      rollout: canary({ steps: [{ share: 50, bake: '1m' }, { share: 20 }, { share: 120 }] }),
    })
    expect(problems({ ...local, resources: [...resources, bad, kv('index')] }).sort()).toEqual([
      'resources.bad.rollout.steps[2].share Too big: expected number to be <=100',
      'resources.index is defined twice: rename one of them',
    ])
    const fixed = worker('bad', {
      source,
      uses: [storage('elsewhere').read(), { resource: 'jobs', access: ['read'] }],
      on: [cron('61 * * * *'), queue('nowhere').messages()],
      env: { NODE_OPTIONS: '--require ./evil.js', OK: input.string({ providedBy: 'vendor' }) },
      rollout: canary({ steps: [{ share: 50, bake: '1m' }, { share: 20 }] }),
    })
    const found = problems({ ...local, resources: [...resources, fixed] })
    expect(found).toEqual([
      'resources.bad.uses[0] uses "elsewhere", which is not in the stack: add it to resources',
      'resources.bad.uses[1] grants "read" on "jobs", but it is a queue: it has send and receive',
      'resources.bad.triggers[0] is on the queue "nowhere", which is not in the stack: add it to resources',
      'resources.bad.triggers[1] has the schedule "61 * * * *", which is not a cron expression of five fields: Invalid value for minute: 61',
      'resources.bad.env.NODE_OPTIONS can make a program load code or trust another machine, so it is never set from outside of the code: remove it',
      'resources.bad.env.OK takes an input that is not in the stack: list it in inputs',
      'resources.bad.rollout.steps[1].share must be above the 50% of the step before',
    ])
  })

  it.each(['NODE_OPTIONS', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'PYTHONPATH', 'BASH_ENV', 'DYLD_INSERT_LIBRARIES', 'PATH'])(
    'may not set %s',
    (name) => {
      const one = worker('one', { source, env: { [name]: 'x' } })
      expect(problems({ ...local, resources: [one] })).toEqual([
        expect.stringContaining(`env.${name} can make a program`),
      ])
    },
  )

  it.each(['LANDFALL_TOKEN', 'PORT', 'OTEL_EXPORTER_OTLP_ENDPOINT'])(
    'may not set %s, which the platform sets',
    (name) => {
      const one = worker('one', { source, env: { [name]: 'x' } })
      expect(problems({ ...local, resources: [one] })).toEqual([expect.stringContaining('is set by the platform')])
    },
  )

  it('has a circle of dependencies', () => {
    const a = worker('a', { source, uses: [{ resource: 'b', access: ['invoke'] }] })
    const b = worker('b', { source, uses: [{ resource: 'c', access: ['invoke'] }] })
    const c = worker('c', { source, uses: [a.invoke()] })
    const user = worker('user', { source, uses: [a.invoke()] })
    expect(problems({ ...local, resources: [user, a, b, c] })).toEqual([
      expect.stringContaining('resources.a depends on itself: a → b → c → a'),
    ])
  })

  it.each([
    ['manifests', 'aws', manifests('x', { yaml: ['x.yaml'] }), 'deliver it only to kubernetes'],
    ['manifests', 'local', manifests('x', { yaml: ['x.yaml'] }), 'deliver it only to kubernetes'],
    ['postgres', 'gcp', postgres('x'), 'as a secret'],
    ['container', 'aws', container('x', { image: 'x', port: 80 }), 'later: ECS'],
    ['worker as image', 'aws', worker('x', { image: 'x' }), 'give its source'],
    ['worker as image', 'local', worker('x', { image: 'x' }), 'local runs processes'],
  ] as const)('has %s on %s', (_what, platform, resource, words) => {
    const found = problems({ platforms: [platform], resources: [resource] })
    expect(found).toEqual([expect.stringMatching(new RegExp(`^resources.x .*${words}.*leave ${platform} out`))])
    if (platform !== 'local')
      expect(problems({ platforms: ['kubernetes', platform], resources: [resource] })).toEqual(found)
  })

  it('has names that do not fit', () => {
    const long = worker('a-worker-with-a-long-name', { source })
    expect(problems({ platforms: ['azure', 'kubernetes'], resources: [long] })).toEqual([
      expect.stringContaining('at most 19 characters'),
    ])
    expect(problems({ ...local, resources: [worker('Api', { source })] })).toEqual([
      expect.stringContaining('lower-case'),
    ])
  })

  it('has two workers with the same command', () => {
    const commands = { reindex: command() }
    const both = [worker('a', { source, commands }), worker('b', { source, commands })]
    expect(problems({ ...local, resources: both })).toEqual([
      expect.stringContaining('resources.b.commands.reindex is a command of "a" too'),
    ])
  })

  it('defines a secret twice, differently', () => {
    const one = worker('one', { source, secrets: [secret('key', { providedBy: 'customer' })] })
    const two = worker('two', { source, secrets: [secret('key', { providedBy: 'vendor' })] })
    expect(problems({ ...local, resources: [one, two] })).toEqual([expect.stringContaining('resources.key')])
  })

  it('asks for secrets as inputs, and for inputs that can not be', () => {
    const inputs = {
      apiToken: input.string({ providedBy: 'customer' }),
      'smtp-password': input.string({ providedBy: 'customer' }),
      tokenLimit: input.integer({ providedBy: 'vendor', minimum: 1, default: 5 }),
      range: input.number({ providedBy: 'vendor', minimum: 3, maximum: 1 }),
      early: input.integer({ providedBy: 'vendor', default: 1.5 }),
      slow: input.string({ providedBy: 'vendor', pattern: '(a)\\1' }),
      ahead: input.string({ providedBy: 'vendor', pattern: '(?=a)a' }),
      none: input.enum([], { providedBy: 'vendor' }),
    }
    const paths = problems({ ...local, resources: [], inputs }).map((one) => one.split(' ')[0])
    expect(paths).toEqual(
      ['apiToken', 'smtp-password', 'range', 'early', 'slow', 'ahead', 'none'].map((n) => `inputs.${n}`),
    )
  })

  it('has a plan that could not decide anything', () => {
    const plan = (rollout: ReturnType<typeof canary>) =>
      problems({ ...local, resources: [worker('w', { source, rollout })] })
    expect(plan(canary({ steps: [] }))).toEqual([expect.stringContaining('at least one step')])
    expect(plan(canary({ steps: [{ share: 5 }], analysis: [errorRate({ worseBy: 0.1 })] }))).toEqual([
      expect.stringContaining('nothing could be measured'),
    ])
    expect(plan(allAtOnce({ postPromotion: [restarts({ max: 1 })] }))).toEqual([
      expect.stringContaining('rollbackWindow'),
    ])
    expect(plan(allAtOnce({ prePromotion: [smoke('none')] }))).toEqual([expect.stringContaining('"none"')])
    expect(plan(allAtOnce({ prePromotion: [job('none')] }))).toEqual([expect.stringContaining('not a worker')])
    expect(plan(canary({ steps: [{ share: 5, bake: '2h' }] }))).toEqual([expect.stringContaining('maxBake')])
    expect(plan(allAtOnce({ analysis: [errorRate({ max: 5 })] }))).toEqual([
      expect.stringContaining('write 1% as 0.01'),
    ])
  })

  it.each(['* * * *', '* * * * * *', '@daily', '0 0 31 2 *', '0 0 L * *', 'nonsense', '0 0 1W * *'])(
    'has the schedule %s',
    (schedule) => {
      const one = worker('one', { source, on: [cron(schedule)] })
      expect(problems({ ...local, resources: [one] })).toEqual([expect.stringContaining('schedule')])
    },
  )

  it.each(['0 6 * * *', '*/5 9-17 * JAN-MAR MON-FRI', '0 0 29 2 *', '1,2,3 * * JUL WED'])(
    'may have the schedule %s',
    (schedule) => {
      const one = worker('one', { source, on: [cron(schedule)] })
      expect(compileStack(new Stack('acme', options({ ...local, resources: [one] }))).resources).toHaveLength(1)
    },
  )
})
