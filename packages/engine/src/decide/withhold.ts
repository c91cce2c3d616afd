import { unseenFor } from '@landfall/rollout'
import type { Turn } from './turn.ts'

/**
 * The customer has revoked access: parked where it stands, with nothing at all done in the environment, no look and no probe.
 * Nothing wakes it but the grant.
 */
export function withhold(turn: Turn): void {
  const { state, desired, now } = turn
  if (state.phase === 'deleted') return
  if (!state.parked || state.parked.probeAt !== null) {
    const message = 'The customer has revoked access: nothing is done in the environment'
    turn.emit('access.revoked', message, { code: 'REVOKED_BY_CUSTOMER' })
    turn.set({ parked: { since: state.parked?.since ?? now, probeAt: null }, phase: 'access-revoked' })
  }
  turn.setReason(
    'REVOKED_BY_CUSTOMER',
    desired.operation === 'destroy'
      ? 'The customer has revoked access; taking everything away waits until it is granted again'
      : 'The customer has revoked access; it goes on by itself once access is granted again',
  )
}

/** Goes on after access was revoked. Where it stood is found again by looking; the time in between counts toward nothing. */
export function restored(turn: Turn, message: string): void {
  const blind = turn.now - (turn.state.parked?.since ?? turn.now)
  for (const [name, { rollout }] of Object.entries(turn.state.workers))
    if (rollout) turn.worker(name, { rollout: unseenFor(rollout, blind) })
  turn.set({ parked: null, phase: turn.state.stable || turn.state.candidate ? 'updating' : 'pending' })
  turn.emit('access.restored', message)
}
