import { describe, expect, it } from 'vitest'
import { overtaken, strayWrites, type Write } from './witness.ts'

const write = (kind: Write['kind'], epoch: number, writer: string, owner: string | null = `of ${writer}`): Write => ({
  deployment: 'dep_1',
  epoch,
  owner,
  writer,
  kind,
  state: null,
  at: new Date(0),
})
const claim = (epoch: number, writer: string) => write('claim', epoch, writer)

describe('strayWrites', () => {
  const good = [
    claim(1, 'a'),
    write('state', 1, 'a'),
    write('renew', 1, 'a'),
    write('release', 1, 'a', null),
    claim(2, 'b'),
    write('state', 2, 'b'),
    // It ran out.
    claim(3, 'a'),
    write('state', 3, 'a'),
  ]

  it('has nothing to say of writes that were their holder’s', () => {
    expect(strayWrites(good)).toEqual([])
  })

  it.each([
    ['a write under an epoch that has passed on', [write('state', 2, 'b', 'of b')]],
    ['a write of somebody else under the epoch in force', [write('state', 3, 'b', 'of a')]],
    ['a renewal that changes the owner', [write('renew', 3, 'a', 'of b')]],
    ['an epoch that is given twice', [claim(3, 'b')]],
    ['an epoch that falls', [claim(2, 'b')]],
    ['a write after the lease was given up', [write('release', 3, 'a', null), write('state', 3, 'a', null)]],
  ])('finds %s', (_, more) => {
    expect(strayWrites([...good, ...more])).toHaveLength(1)
  })
})

it('a lease that was taken before it was given up is told as overtaken', () => {
  const writes = [claim(1, 'a'), write('release', 1, 'a', null), claim(2, 'b'), write('state', 2, 'b'), claim(3, 'a')]
  expect(overtaken(writes)).toEqual([claim(3, 'a')])
})
