import { seededRandom } from '@landfall/engine/testing'
import { type Cast, calmAt, type Entry } from './script.ts'

type Command = Extract<Entry, { kind: 'command' }>

/**
 * What seldom comes together by itself, each of a chance of its own: a window that closes on a rollout, a bundle that comes once more
 * after its commands have run and their agent was started again, a manager that is stopped between claiming a command and its call.
 */
export function closeCalls(seed: number, { deployments }: Cast, others: readonly Entry[]): Entry[] {
  const of = (model: string) => deployments.filter((one) => one.model === model).map(({ id }) => id)
  const pushed = of('push')
  const commands = others.filter((entry): entry is Command => entry.kind === 'command' && pushed.includes(entry.on))
  return [
    ...closing(chanceOf(seed, 17), deployments),
    ...carriedTwice(chanceOf(seed, 29), of('airgapped')),
    ...stoppedBetween(chanceOf(seed, 43), commands),
  ]
}

/** A release shortly before a window closes that ends what is under way; its customer sets up and approves what it asks for at once. */
function closing({ between, of }: Chance, deployments: Cast['deployments']): Entry[] {
  return deployments.flatMap(({ id, consent, maintenance }): Entry[] => {
    const ends = (maintenance?.windows ?? [])
      .map(({ start }) => (Number(start.slice(-2)) + 1) * 60_000)
      .filter((end) => end > 90_000 && end < calmAt - 40_000)
    const end = ends[between(0, Math.max(0, ends.length - 1))]
    if (end === undefined || maintenance?.windowClose !== 'abort' || !of(0.75)) return []
    const at = end - between(5_000, 13_000)
    const answers: Entry = { at: at + between(1_500, 4_000), kind: 'answer', on: id, status: 'pass' }
    return [
      { at, kind: 'release', release: 'good', waves: 'all', channel: 'stable' },
      { at: at + between(500, 1_200), kind: 'setup', on: id },
      ...(consent === 'automatic' ? [] : [answers]),
    ]
  })
}

function carriedTwice({ between, of }: Chance, sites: readonly string[]): Entry[] {
  return sites.flatMap((on, index): Entry[] => {
    if (!of(0.7)) return []
    const sent = between(60_000, calmAt - 120_000)
    const at = sent + between(200, 2_000)
    const first = between(500, 3_000)
    const killed = at + first + between(3_000, 7_500)
    // Mostly before it expires: an expired one is refused as such.
    const [again, forMs] = [between(first + 18_000, first + 60_000), between(60_000, 150_000)]
    return [
      { at: sent, kind: 'command', on, key: `carried${index}`, work: 'quick', forMs, again: [] },
      { at, kind: 'carry', on, delays: [first, again] },
      { at: killed, kind: 'kill', process: `agent-${on}`, after: between(1, 3), downMs: between(2_000, 8_000) },
    ]
  })
}

/** For longer than a lease: whoever goes on then calls too late, whether another has taken the command up by then or not. */
function stoppedBetween({ between, of }: Chance, commands: readonly Command[]): Entry[] {
  return commands.flatMap(({ at, on, key }) => {
    const ms = between(15_100, 25_000)
    return of(0.15) ? [{ at: at - 1, kind: 'stop-claimer', on, key, ms } as const] : []
  })
}

interface Chance {
  between: (from: number, to: number) => number
  of: (probability: number) => boolean
}

function chanceOf(seed: number, salt: number): Chance {
  const random = seededRandom(seed * 104_729 + salt)
  return {
    between: (from, to) => from + Math.floor(random.next() * (to - from + 1)),
    of: (probability) => random.next() < probability,
  }
}
