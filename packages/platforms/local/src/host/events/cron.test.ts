import { expect, test } from 'vitest'
import type { Host } from '../host.ts'
import { openDataStore } from '../store/data-store.ts'
import { CronClock } from './cron.ts'
import type { EventDispatcher } from './event-dispatcher.ts'

test('what was missed is made good by one run, the newest; a new schedule has missed nothing', () => {
  const sql = openDataStore(':memory:')
  const runner = { spec: { triggers: [{ kind: 'cron', schedule: '0 6 * * *' }] } }
  const host = { workers: new Map([['digest', { name: 'digest', triggerVersion: () => runner }]]) }
  const fired: unknown[] = []
  const events = { add: (_worker: string, payload: { scheduledAt: number }) => fired.push(payload.scheduledAt) }
  const clock = new CronClock(host as unknown as Host, sql, events as unknown as EventDispatcher)
  clock.stop()
  const at = (text: string) => Date.parse(`${text}Z`)

  clock.tick(at('2026-03-01T12:00:00'))
  clock.tick(at('2026-03-02T05:59:59'))
  expect(fired).toEqual([])
  clock.tick(at('2026-03-02T06:00:00'))
  clock.tick(at('2026-03-02T06:00:01'))
  expect(fired).toEqual([at('2026-03-02T06:00:00')])
  // Four days down.
  clock.tick(at('2026-03-06T18:00:00'))
  clock.tick(at('2026-03-06T18:00:01'))
  expect(fired).toEqual([at('2026-03-02T06:00:00'), at('2026-03-06T06:00:00')])
})
