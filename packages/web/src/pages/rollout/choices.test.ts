import { expect, test } from 'vitest'
import type { RolloutDetail, RolloutMember } from '../../api/types.ts'
import { choicesOf } from './choices.ts'

const time = '2026-11-21T12:00:00.000Z'
const statuses = [
  'in-flight',
  'in-flight',
  'succeeded',
  'succeeded',
  'succeeded',
  'waiting',
  'failed',
  'excluded',
] as const

function rollout(change: Partial<RolloutDetail> = {}): RolloutDetail {
  return {
    id: 'rol_1',
    release: `sha256:${'0'.repeat(64)}`,
    version: '1.4.0',
    channel: 'stable',
    phase: 'progressing',
    wave: 0,
    waves: [],
    reason: { code: 'wave', message: '', since: time },
    createdAt: time,
    createdBy: 'ci',
    finishedAt: null,
    plan: { waves: [], maxInFlight: 2, minSuccess: 100, maxFailures: 1, onFailure: 'abort', rollbackReached: true },
    members: statuses.map(
      (status, index): RolloutMember => ({
        deployment: `dep_${index}`,
        name: `d${index}`,
        group: null,
        wave: 0,
        status,
        reason: null,
        since: time,
        asked: null,
        served: null,
        fromVersion: '1.3.0',
      }),
    ),
    decisions: [],
    sentence: '',
    ...change,
  }
}
const kinds = (change: Partial<RolloutDetail>) => choicesOf(rollout(change)).map(({ kind }) => kind)
const verb = (kind: string, change: Partial<RolloutDetail> = {}) =>
  choicesOf(rollout(change)).find((choice) => choice.kind === kind)?.verb

test('only what the phase allows is offered', () => {
  expect(kinds({})).toEqual(['pause', 'promote', 'promote-full', 'retry', 'abort'])
  expect(kinds({ phase: 'paused', members: [] })).toEqual(['resume', 'promote', 'promote-full', 'abort'])
  expect(kinds({ phase: 'aborted' })).toEqual(['retry'])
  expect(kinds({ phase: 'complete' })).toEqual([])
  expect(kinds({ phase: 'superseded' })).toEqual([])
})

test('an abort counts those that go back: in flight, and there where the plan brings them back', () => {
  expect(verb('abort')).toBe('Abort on 5 deployments')
  const { plan } = rollout()
  expect(verb('abort', { plan: { ...plan, rollbackReached: false } })).toBe('Abort on 2 deployments')
})

test('a retry counts those that failed; after an abort it starts over', () => {
  expect(verb('retry')).toBe('Retry on 1 deployment')
  expect(verb('retry', { phase: 'aborted' })).toBe('Retry 1.4.0 from its first wave')
})
