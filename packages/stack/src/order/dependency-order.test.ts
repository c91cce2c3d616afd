import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LandfallError } from '../errors/landfall-error.ts'
import { compileStack, type Definition, queue, Stack, secret, storage, worker } from '../sdk/index.ts'
import { dependenciesOf } from './dependencies.ts'
import { dependencyOrder } from './dependency-order.ts'

const source = './x.ts'
const compile = (resources: Definition[]) => compileStack(new Stack('acme', { platforms: ['local'], resources }))

describe('dependencyOrder', () => {
  it('makes first what others use, listen to, and take variables from', () => {
    const jobs = queue('jobs')
    const files = storage('files')
    const back = worker('back', { source, on: [jobs.messages(), files.created()] })
    const front = worker('front', {
      source,
      uses: [back.invoke(), jobs.send()],
      env: { KEY: secret('key', { providedBy: 'vendor' }) },
    })
    const manifest = compile([front, back, files, jobs])
    expect(dependencyOrder(manifest)).toEqual([['files', 'jobs', 'key'], ['back'], ['front']])
  })

  it('puts every resource after all that it depends on, exactly once', () => {
    // Edges only to smaller numbers: any graph without a circle can be numbered so.
    const edges = fc.array(fc.tuple(fc.nat(19), fc.nat(19)), { maxLength: 60 })
    fc.assert(
      fc.property(edges, (pairs) => {
        const resources = Array.from({ length: 20 }, (_, i) => {
          const below = [...new Set(pairs.filter(([a, b]) => a === i && b < i).map(([, b]) => b))]
          return worker(`w${i}`, {
            source,
            uses: below.map((b) => ({ resource: `w${b}`, access: ['invoke'] as const })),
          })
        })
        const manifest = compile(resources)
        const layers = dependencyOrder(manifest)
        const layerOf = new Map(layers.flatMap((layer, i) => layer.map((name): [string, number] => [name, i])))
        expect(layers.flat().sort()).toEqual(manifest.resources.map((one) => one.name).sort())
        for (const one of manifest.resources) {
          for (const name of dependenciesOf(one)) expect(layerOf.get(name)).toBeLessThan(layerOf.get(one.name) ?? -1)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('refuses a circle that a manifest from elsewhere may have', () => {
    const manifest = compile([
      worker('a', { source }),
      worker('b', { source, uses: [{ resource: 'a', access: ['invoke'] }] }),
    ])
    const [a, b] = manifest.resources
    if (a?.type !== 'worker' || !b) throw new Error('two workers')
    const circle = { resources: [{ ...a, uses: [{ resource: 'b', access: ['invoke' as const] }] }, b] }
    expect(() => dependencyOrder(circle)).toThrow(LandfallError)
  })
})
