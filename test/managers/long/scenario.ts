import { until } from '../../harness/agent-world.ts'
import type { ManagersWorld } from '../../harness/managers-world.ts'
import { readyOf } from '../../harness/ready-of.ts'
import type { Witness } from '../../harness/witness.ts'

export interface Run {
  world: ManagersWorld
  /** The version that is rolled out meanwhile; no run before had it. */
  version: string
  /** Chance, from the seed: 0 up to 1. */
  chance: () => number
  /** A line for whoever watches. */
  say: (line: string) => void
}

/** One thing that goes wrong. Throws, or answers what does not hold; nothing: all is well. What follows each is `afterwards`. */
export interface Scenario {
  name: string
  /** Repeated with other moments. */
  repeats: boolean
  act(run: Run): Promise<string[]>
}

/** Milliseconds from `from` up to `to`, by chance. */
export const between = (chance: () => number, from: number, to: number): number =>
  Math.round(from + chance() * (to - from))

export function pick<T>(chance: () => number, of: readonly T[]): T {
  const found = of[Math.floor(chance() * of.length)]
  if (found === undefined) throw new Error('nothing to choose from')
  return found
}

/** Until every manager says so. */
export const allAre = (world: ManagersWorld, wanted: { health: number; ready: number }) =>
  until(
    () => Promise.all(world.managers.map(({ url }) => readyOf(url))),
    (said) => said.every(({ health, ready }) => health === wanted.health && ready === wanted.ready),
  )

/** The next claim of a deployment above an epoch, as soon as there is one. */
export const claimAbove = (witness: Witness, deployment: string, epoch: number) =>
  until(
    async () => {
      const writes = await witness.writes()
      return writes.find((one) => one.deployment === deployment && one.kind === 'claim' && one.epoch > epoch)
    },
    (claim) => claim !== undefined,
  )
