import type { Fence } from './fence.ts'
import { agents } from './list/agents.ts'
import { commands } from './list/commands.ts'
import { fleet } from './list/fleet.ts'
import { leases } from './list/leases.ts'
import { sites } from './list/sites.ts'

/** All that is known of, each with the tests that hold it. */
export const fences: readonly Fence[] = [...leases, ...commands, ...fleet, ...agents, ...sites]
