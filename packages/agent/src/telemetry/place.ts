import { randomBytes } from 'node:crypto'
import type { AgentState } from '../state/agent-state.ts'

interface Place {
  port: number
  token: string
}

const name = 'telemetry/intake'

/**
 * Where the agent takes telemetry, kept over restarts: workers that run were given this port and this token and are not started again
 * for the agent's sake.
 */
export function intakePlace(state: AgentState): { place: Place; listening(port: number): void } {
  const known = state.get(name) as Place | undefined
  const place = known ?? { port: 0, token: randomBytes(32).toString('base64url') }
  return {
    place,
    listening(port) {
      if (known?.port !== port) state.put(name, { ...place, port } satisfies Place)
    },
  }
}
