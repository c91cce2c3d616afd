import { describe, expect, it } from 'vitest'
import { partOf } from '../chaos/run/rotation.ts'
import { broken, type Fence, rotten } from './fence.ts'
import { fences } from './fences.ts'
import { prove } from './prove.ts'
import { root } from './scratch.ts'

const asked = process.env.LANDFALL_FENCE
const { part, why } = partOf(fences.length, {}, Math.floor(Date.now() / 86_400_000))
/** Two in turn: `npm run fences` has them all. */
const inTurn = asked
  ? fences.filter(({ name }) => name === asked)
  : [part - 1, part - 1 + Math.floor(fences.length / 2)].map((at) => fences[at % fences.length] as Fence)
const names = inTurn.map(({ name }) => name).join(' and ')

describe('fences', () => {
  it('are all where the list says, once each, with tests that are there', () => {
    expect(fences.flatMap((fence) => rotten(fence, root))).toEqual([])
    expect(new Set(fences.map(({ name }) => name)).size).toBe(fences.length)
  })

  // That the same tests are green with them is what the rest of this very run shows.
  it(`${names} (${asked ? 'asked for' : why}): taken away, tests go red`, { timeout: 900_000 }, async () => {
    const proofs = await prove(inTurn, { jobs: 1, whole: false })
    console.log(
      [
        ...proofs.map(({ name, failed }) => `without ${name}: ${failed.join('; ')}`),
        `again: npm run fences -- --only ${inTurn.map(({ name }) => name).join(',')}`,
      ].join('\n'),
    )
    expect(proofs.filter(({ red }) => !red)).toEqual([])
    expect(proofs).toHaveLength(inTurn.length)
  })
})

describe('the list', () => {
  const fence: Fence = { ...(fences[0] as Fence), name: 'x', find: 'b', replace: 'c' }

  it('is not believed where a text is gone, is there twice, or stays as it was', () => {
    expect(broken(fence, 'const a = b')).toBe('const a = c')
    expect(() => broken(fence, 'const a = 1')).toThrow('0 times')
    expect(() => broken(fence, 'const a = b + b')).toThrow('2 times')
    expect(() => broken({ ...fence, replace: 'b' }, 'const a = b')).toThrow('changes nothing')
  })

  it('holds no change that does not even load', () => {
    expect(() => broken({ ...fence, replace: '' }, 'const a = b')).toThrow()
  })
})
