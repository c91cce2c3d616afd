import { expect, test } from 'vitest'
import type { RolloutMember } from '../../api/types.ts'
import { leftOutGroups } from './left-out-groups.ts'

const member = (name: string, code: string | null, status: RolloutMember['status'] = 'excluded'): RolloutMember => ({
  deployment: name,
  name,
  group: null,
  wave: 0,
  status,
  reason: code === null ? null : { code, message: code },
  since: '2026-11-21T12:00:00.000Z',
  asked: null,
  served: null,
  fromVersion: null,
})

test('those that do not count are grouped by reason, what a person can act on first', () => {
  const groups = leftOutGroups([
    member('d', 'pinned'),
    member('c', 'by-bundle'),
    member('b', 'awaiting-approval'),
    member('a', 'awaiting-approval'),
    member('e', 'rolled-back', 'failed'),
    member('f', 'made-up'),
  ])
  expect(groups.map(({ code, words, members }) => [code, words, members.map(({ name }) => name)])).toEqual([
    ['awaiting-approval', 'wait for their customers’ approval', ['a', 'b']],
    ['by-bundle', 'gets its releases by bundle', ['c']],
    ['pinned', 'is pinned to a release', ['d']],
    ['made-up', 'does not count: made up', ['f']],
  ])
})
