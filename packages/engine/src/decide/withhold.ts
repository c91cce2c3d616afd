import { unseenFor } from '@landfall/rollout'
import type { Turn } from './turn.ts'

/**
 * The customer has revoked access: parked where it stands, with nothing at all done in the environment, no look and no probe.
 * Nothing wakes it but the grant.
 */
export function withhold(turn: Turn): void {
  const { state, desired } = turn
  if (state.phase === 'deleted') return
  if (!state.parked || state.parked.probeAt !== null) {
    const message = 'The customer has revoked access: nothing is done in the environment'
    turn.emit('access.revoked', message, { code: 'REVOKED_BY_CUSTOMER' })
    park(turn, null)
  }
  turn.setReason(
    'REVOKED_BY_CUSTOMER',
    desired.operation === 'destroy'
      ? 'The customer has revoked access; taking everything away waits until it is granted again'
      : 'The customer has revoked access; it goes on by itself once access is granted again',
  )
}

/** `probeAt`: when the next probe is due, in milliseconds since the epoch; null: the customer said so, nothing is probed. */
export function park(turn: Turn, probeAt: number | null): void {
  const { parked, phase, reason } = turn.state
  const first = { since: turn.now, from: { phase, reason } }
  turn.set({ parked: { ...(parked ?? first), probeAt }, phase: 'access-revoked' })
}

/**
 * Goes on as what it was when access was revoked, so that one that only rested says so again. What became of it meanwhile is found by
 * looking; the time in between counts toward nothing.
 */
export function restored(turn: Turn, message: string): void {
  const blind = turn.now - (turn.state.parked?.since ?? turn.now)
  for (const [name, { rollout }] of Object.entries(turn.state.workers))
    if (rollout) turn.worker(name, { rollout: unseenFor(rollout, blind) })
  // One that was parked before this was remembered.
  const unknown = turn.state.stable || turn.state.candidate ? 'updating' : 'pending'
  const { phase, reason } = turn.state.parked?.from ?? { phase: unknown, reason: turn.state.reason }
  turn.set({ parked: null, phase, reason })
  turn.emit('access.restored', message)
}
