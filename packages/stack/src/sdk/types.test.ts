import { describe, expect, it } from 'vitest'
import { canary, errorRate, input, latency, manifests, storage, worker } from './index.ts'

// What an editor must underline. The type checker fails on a line here that it accepts, and so does the lint step.
describe('types', () => {
  it('refuse nonsense while it is typed', () => {
    const nonsense = () => {
      // @ts-expect-error a worker has source or image, not both
      worker('a', { source: './a.ts', image: 'a' })
      // @ts-expect-error a worker needs code
      worker('a', {})
      // @ts-expect-error a duration has a unit
      worker('a', { source: './a.ts', timeout: '30' })
      // @ts-expect-error storage can't be sent to
      storage('a').send()
      // @ts-expect-error a default must be one of the values
      input.enum(['eu', 'us'], { providedBy: 'vendor', default: 'mars' })
      // @ts-expect-error compared with stable, or with a limit
      errorRate({ worseBy: 0.01, max: 0.1 })
      // @ts-expect-error no such percentile
      latency('p42', { max: '1s' })
      // @ts-expect-error a step has a share
      canary({ steps: [{ bake: '1m' }] })
      // @ts-expect-error one source of objects
      manifests('a', { yaml: ['a'], kustomize: 'b' })
    }
    expect(nonsense).toBeTypeOf('function')
  })
})
