import { describe, expect, it } from 'vitest'
import {
  compileStack,
  cron,
  type Definition,
  kv,
  queue,
  Stack,
  secret,
  storage,
  type WorkerOptions,
  worker,
} from '../sdk/index.ts'
import { frozenDifference } from './frozen-difference.ts'

const uploads = storage('uploads')
const jobs = queue('jobs')
const api = (more: WorkerOptions = {}) => worker('api', { source: './api.ts', uses: [uploads.read()], ...more })
const compile = (...resources: Definition[]) => compileStack(new Stack('acme', { platforms: ['local'], resources }))
const base = () => compile(uploads, jobs, api())
const kinds = (from: ReturnType<typeof base>, to: ReturnType<typeof base>) =>
  frozenDifference(from, to).map((one) => `${one.kind} ${one.path}`)

describe('frozenDifference', () => {
  it('is empty for what releases manage', () => {
    expect(kinds(base(), base())).toEqual([])
    const live = api({ env: { A: 'b' }, scale: 5, memoryMb: 1024, public: true, timeout: '5m' })
    expect(kinds(base(), compile(uploads, jobs, live))).toEqual([])
    expect(kinds(base(), compile(storage('uploads', { description: 'Files' }), jobs, api()))).toEqual([])
  })

  it('is empty for going back to less', () => {
    const more = compile(
      uploads,
      jobs,
      kv('index'),
      api({ uses: [uploads.readWrite(), jobs.send()], on: [cron('0 6 * * *')] }),
    )
    expect(kinds(more, base())).toEqual([])
    expect(kinds(base(), more)).not.toEqual([])
  })

  it('names new and changed frozen resources', () => {
    expect(kinds(base(), compile(uploads, jobs, kv('index'), api()))).toEqual(['resource resources.index'])
    expect(kinds(base(), compile(uploads, queue('jobs', { maxDeliveries: 9 }), api()))).toEqual([
      'resource resources.jobs.maxDeliveries',
    ])
    expect(kinds(base(), compile(uploads, queue('jobs', { lifecycle: 'live' }), api()))).toEqual([
      'lifecycle resources.jobs.lifecycle',
      'permission resources',
    ])
  })

  it('names a resource that is made anew under an old name', () => {
    const other = worker('api', { source: './api.ts' })
    expect(kinds(base(), compile(kv('uploads'), jobs, other))).toEqual(['resource resources.uploads'])
  })

  it('names what a role newly may, by grant, trigger and variable', () => {
    const wider = api({
      uses: [uploads.readWrite(), jobs.send()],
      on: [jobs.messages(), uploads.created(), cron('0 6 * * *')],
      secrets: [secret('key', { providedBy: 'vendor' })],
      env: { PASSWORD: secret('smtp', { providedBy: 'vendor' }) },
    })
    expect(kinds(base(), compile(uploads, jobs, wider))).toEqual([
      'grant resources.api.uses.jobs',
      'grant resources.api.uses.jobs',
      'grant resources.api.uses.key',
      'grant resources.api.uses.smtp',
      'grant resources.api.uses.uploads',
      'grant resources.api.uses.uploads',
      'permission resources',
      'permission resources',
    ])
  })

  it('names the role of a new worker', () => {
    const [difference, ...others] = frozenDifference(
      base(),
      compile(uploads, jobs, api(), worker('two', { source: './two.ts' })),
    )
    expect(others).toEqual([])
    expect(difference).toEqual({
      kind: 'role',
      path: 'resources.two',
      message: 'The worker "two" is new: the role it runs under is created at setup.',
    })
  })
})
