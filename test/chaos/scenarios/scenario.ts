import type { Base } from '../world/bases.ts'
import type { World } from '../world/world.ts'

export type Victim = 'manager' | 'agent' | 'host' | 'postgres'

/** Something a person does, from a state that is kept to one that must come, whoever is killed on the way. */
export interface Scenario {
  name: string
  base: Base
  /** What runs; `agent` is the site's or the puller's. */
  runs: readonly ('manager' | 'site' | 'puller')[]
  victims: readonly Victim[]
  /** Counted from the start of the processes, not from when all are ready and have come to rest. */
  fromStart?: boolean
  /** At most so many in one run, where the product itself gives up after some: a command is begun ten times and no more. */
  kills?: number
  /** Does it and waits until the wanted end is there; throws when it does not come. */
  act(world: World): Promise<void>
  /** The deployment whose audit is verified, and where. */
  audit: { manager?: string; agent?: 'site' | 'puller' }
}

/** The name under which a victim's own mutations are traced. PostgreSQL is killed where the manager writes to it. */
export function tracedAs(scenario: Scenario, victim: Victim): string {
  if (victim === 'postgres') return 'manager'
  if (victim !== 'host') return victim
  return scenario.runs.some((name) => name !== 'manager') ? 'agent-host' : 'manager-host'
}
