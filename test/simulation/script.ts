import { seededRandom } from '@landfall/engine/testing'
import { type Channel, channelEntries } from './channels.ts'
import { closeCalls } from './close-calls.ts'
import { commandEntries } from './command-script.ts'
import type { Work } from './command-worker.ts'
import { type Kind, kinds } from './releases.ts'
import { type Maintenance, maintenanceOf } from './windows.ts'

/** Who there is in one world. */
export interface Cast {
  managers: number
  deployments: {
    id: string
    model: 'push' | 'pull' | 'airgapped'
    group: string
    consent: Consent
    traffic: boolean
    maintenance?: Maintenance
  }[]
}
/** What the customer demands for good: an approval of each target, given in the portal or at the agent alone. */
export type Consent = 'automatic' | 'portal' | 'agent'

type Fields<K extends string, T = object> = { kind: K } & T

/** Something that somebody does, or that goes wrong, at an instant after the start. */
export type Entry = { at: number } & (
  | Fields<'release', { release: Kind; waves: 'all' | 'rings'; channel?: Channel }>
  | Fields<'move', { on: string; to: Channel }>
  | Fields<'back'>
  | Fields<'control', { control: 'pause' | 'resume' | 'abort' | 'promote' | 'retry' }>
  | Fields<'steer', { on: string; control: 'pause' | 'resume' | 'abort' | 'retry' }>
  | Fields<'freeze', { ms: number }>
  | Fields<'pin' | 'unpin' | 'config' | 'destroy', { on: string }>
  | Fields<'answer', { on: string; status: 'pass' | 'fail' }>
  | Fields<'setup' | 'hold' | 'go-on' | 'revoke' | 'grant', { on: string }>
  | Fields<'carry' | 'export', { on: string; delays: number[] }>
  | Fields<'kill', { process: string; after: number; downMs: number }>
  | Fields<'stop', { process: string; ms: number }>
  /** Whoever claims that command first is stopped there. */
  | Fields<'stop-claimer', { on: string; key: string; ms: number }>
  | Fields<'clock', { process: string; skew: number }>
  | Fields<'network', { on: string; how: 'lost' | 'cut' | 'twice' | 'slow'; ms: number }>
  | Fields<'database', { how: 'away' | 'mute'; ms: number }>
  | Fields<'platform', { on: string; how: 'throttled' | 'mute' | 'stale' | 'away'; ms: number }>
  | Fields<'instances', { on: string }>
  | Fields<'deaf', { ms: number }>
  | Fields<'command', { on: string; key: string; work: Work; forMs: number; again: number[] }>
  | Fields<'cancel', { on: string; key: string }>
)

/** Until when people act and things go wrong; after it everybody wants to get there, and nothing stands in the way. */
export const calmAt = 420_000

/** The cast and the script of a seed: the same for the same seed. */
export function writeScript(seed: number): { cast: Cast; entries: Entry[] } {
  const random = seededRandom(seed * 2_654_435_761)
  const next = () => random.next()
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const models = ['push', 'push', 'pull', ...(next() < 0.5 ? ['push'] : []), ...(next() < 0.4 ? ['airgapped'] : [])]
  const deployments = models.map((model, index): Cast['deployments'][number] => ({
    id: `${model}${index}`,
    model: model as 'push',
    group: pick(['ring-1', 'ring-2']),
    consent: next() < 0.6 ? 'automatic' : model === 'push' ? 'portal' : pick(['portal', 'agent']),
    traffic: next() < 0.85,
    maintenance: maintenanceOf(seed, index),
  }))
  const cast: Cast = { managers: between(1, 3), deployments }
  const ids = deployments.map(({ id }) => id)
  const managers = Array.from({ length: cast.managers }, (_, index) => `manager${index}`)
  const agents = deployments.filter(({ model }) => model !== 'push').map(({ id }) => `agent-${id}`)
  const sites = deployments.filter(({ model }) => model === 'airgapped').map(({ id }) => id)
  const pulls = deployments.filter(({ model }) => model === 'pull').map(({ id }) => id)
  const skews = next() < 0.25
  const entries: Entry[] = []
  const add = (times: number, make: (at: number) => Entry) => {
    for (let count = 0; count < times; count++) entries.push(make(between(5_000, calmAt - 20_000)))
  }
  const bag: readonly Kind[] = ['good', 'good', ...kinds]
  add(between(2, 5), (at) => ({ at, kind: 'release', release: pick(bag), waves: pick(['all', 'rings']) }))
  add(between(0, 1), (at) => ({ at, kind: 'back' }))
  add(between(0, 3), (at) => ({ at, kind: 'control', control: pick(['pause', 'resume', 'abort', 'promote', 'retry']) }))
  add(between(0, 2), (at) => ({
    at,
    kind: 'steer',
    on: pick(ids),
    control: pick(['pause', 'resume', 'abort', 'retry']),
  }))
  add(between(0, 1), (at) => ({ at, kind: 'freeze', ms: between(10_000, 90_000) }))
  add(between(0, 2), (at) => ({ at, kind: pick(['pin', 'unpin']), on: pick(ids) }))
  add(between(0, 2), (at) => ({ at, kind: 'config', on: pick(ids) }))
  add(next() < 0.25 ? 1 : 0, (at) => ({ at, kind: 'destroy', on: pick(ids) }))
  add(between(3, 8), (at) => ({ at, kind: 'answer', on: pick(ids), status: next() < 0.8 ? 'pass' : 'fail' }))
  add(between(0, 3), (at) => ({ at, kind: 'setup', on: pick(ids) }))
  add(between(0, 3), (at) => ({ at, kind: pick(['hold', 'go-on', 'revoke', 'grant']), on: pick(ids) }))
  if (sites.length > 0) {
    add(between(3, 7), (at) => ({ at, kind: 'carry', on: pick(sites), delays: delays() }))
    add(between(2, 5), (at) => ({ at, kind: 'export', on: pick(sites), delays: delays() }))
  }
  add(between(1, 5), (at) => ({
    ...{ at, kind: 'kill', process: pick([...managers, ...agents]) },
    ...{ after: between(1, 40), downMs: between(500, 40_000) },
  }))
  add(between(0, 2), (at) => ({
    at,
    kind: 'stop',
    process: pick([...managers, ...agents]),
    ms: between(2_000, 60_000),
  }))
  if (skews)
    add(between(1, 2), (at) => ({
      at,
      kind: 'clock',
      process: pick([...managers, ...agents]),
      skew: between(-90_000, 90_000),
    }))
  if (pulls.length > 0)
    add(between(0, 3), (at) => ({
      ...{ at, kind: 'network', on: pick(pulls) },
      ...{ how: pick(['lost', 'cut', 'twice', 'slow']), ms: between(5_000, 90_000) },
    }))
  add(between(0, 2), (at) => ({ at, kind: 'database', how: pick(['away', 'mute']), ms: between(1_000, 20_000) }))
  add(between(0, 3), (at) => ({
    ...{ at, kind: 'platform', on: pick(ids) },
    ...{ how: pick(['throttled', 'mute', 'stale', 'away']), ms: between(2_000, 40_000) },
  }))
  add(between(0, 1), (at) => ({ at, kind: 'instances', on: pick(ids) }))
  add(between(0, 1), (at) => ({ at, kind: 'deaf', ms: between(10_000, 120_000) }))
  entries.push(...channelEntries(seed, ids, entries))
  entries.push(...commandEntries(seed, ids, [...managers, ...agents], entries))
  entries.push(...closeCalls(seed, cast, entries))
  entries.sort((a, b) => a.at - b.at)
  return { cast, entries }

  function delays(): number[] {
    return Array.from({ length: next() < 0.3 ? 2 : 1 }, () => between(1_000, 120_000))
  }
}

/** One line for a person. */
export function inWords(entry: Entry): string {
  const { at, kind, ...rest } = entry
  const facts = Object.entries(rest).map(
    ([name, value]) => `${name} ${Array.isArray(value) ? value.join(', ') : value}`,
  )
  return `${(at / 1000).toFixed(1).padStart(7)} s  ${kind}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`
}
