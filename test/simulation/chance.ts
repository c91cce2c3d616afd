import type { Random } from '@landfall/engine'
import { seededRandom } from '@landfall/engine/testing'

/** One source of chance. */
export interface Chance extends Random {
  /** Uniform integer in [from, to]. */
  between(from: number, to: number): number
  of(probability: number): boolean
}

/**
 * A stream of chance for everyone who needs some, by name: what happens to one process, link or environment draws nothing from another's.
 * So a script that lacks an entry goes on as before wherever that entry does not reach, and a shrunk script holds what matters.
 */
export class Chances {
  readonly #seed: number
  readonly #streams = new Map<string, Chance>()

  constructor(seed: number) {
    this.#seed = seed
  }

  get(name: string): Chance {
    const known = this.#streams.get(name)
    if (known) return known
    const random = seededRandom(mixed(this.#seed, name))
    const chance: Chance = {
      next: () => random.next(),
      between: (from, to) => from + Math.floor(random.next() * (to - from + 1)),
      of: (probability) => probability > 0 && random.next() < probability,
    }
    this.#streams.set(name, chance)
    return chance
  }
}

/** Seed and name as one number (FNV-1a). */
function mixed(seed: number, name: string): number {
  let hash = Math.imul(seed, 0x9e3779b1) ^ 0x811c9dc5
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
