import type { AgentState } from '../state/agent-state.ts'

/** Nonces of signed commands that were accepted here, whichever road they came. */
const prefix = 'command-nonce/'
/** An expired command is refused by its date; much longer, because a site's clock may be set back. */
const keptMs = 400 * 86_400_000

export const nonceSeen = (state: AgentState, nonce: string): boolean => state.get(`${prefix}${nonce}`) !== undefined

/** Uses a nonce up. Within the transaction that accepts its command. */
export const useNonce = (state: AgentState, nonce: string, expiresAt: number): void =>
  state.put(`${prefix}${nonce}`, expiresAt)

/** Forgets nonces of commands that expired long ago. */
export function tidyNonces(state: AgentState, now: number): void {
  for (const name of state.names(prefix)) {
    if (Number(state.get(name)) < now - keptMs) state.delete(name)
  }
}
