import { seededRandom } from '@landfall/engine/testing'
import { works } from './command-worker.ts'
import { calmAt, type Entry } from './script.ts'

/** The commands of a seed, of a chance of their own: who sends what under which key, how often, and what is cancelled. */
export function commandEntries(
  seed: number,
  ids: readonly string[],
  processes: readonly string[],
  others: readonly Entry[],
): Entry[] {
  const random = seededRandom(seed * 40_503 + 7)
  const between = (from: number, to: number) => from + Math.floor(random.next() * (to - from + 1))
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T
  const entries: Entry[] = []
  const troubles = others.filter(({ kind }) => ['kill', 'stop', 'network', 'database', 'platform'].includes(kind))
  const count = random.next() < 0.85 ? between(2, 9) : 0
  for (let index = 1; index <= count; index++) {
    // Half of them shortly before something goes wrong.
    const near = troubles.length > 0 && random.next() < 0.5 ? pick(troubles).at - between(0, 15_000) : null
    const at = Math.max(10_000, near ?? between(10_000, calmAt - 20_000))
    const [on, key] = [pick(ids), `key${index}`]
    // Whoever got no answer asks once more, under the same key.
    const again = random.next() < 0.4 ? [between(1, 30_000)] : []
    const more = { work: pick(works), forMs: between(15_000, 200_000), again }
    entries.push({ at, kind: 'command', on, key, ...more })
    if (random.next() < 0.3) entries.push({ at: at + between(0, 30_000), kind: 'cancel', on, key })
    // Between the claim and the call, or while it works: when it goes on, its lease or the deadline may have passed.
    const after = random.next() < 0.5 ? between(5, 150) : between(1_000, 12_000)
    if (random.next() < 0.3)
      entries.push({ at: at + after, kind: 'stop', process: pick(processes), ms: between(14_000, 60_000) })
  }
  return entries
}
