/** How the manager wants to be asked. Milliseconds. */
export interface Poll {
  waitMs: number
  intervalMs: number
  jitterMs: number
}

export type SyncPhase = 'starting' | 'enrolling' | 'session' | 'waiting' | 'polling' | 'offline' | 'refused'

/** What the sync client is about to do. The machine has no clock: all times in it are delays from the event that led here. */
export interface SyncState {
  phase: SyncPhase
  /** The next request. */
  step: 'enrol' | 'session' | 'sync'
  /** Until the next request, milliseconds; never below `minGapMs`. */
  delayMs: number
  /** How long the next sync asks to be held; 0: not at all. */
  waitMs: number
  poll: Poll
  /** Requests in a row that got no answer, or no session that held. */
  failures: number
  refusals: number
  /** Held requests in a row that were cut off, or answered early with nothing. */
  cuts: number
  /** A held request was cut off after this long; whether that was for its length is being asked. */
  cutAfterMs: number | null
  /** Longest hold that something on the way may let through; null: nothing was noticed. */
  holdMs: number | null
  /** While polling: polls until waiting is tried again, and of how many that is to be next time. */
  pollsLeft: number
  pollsNext: number
}

export type SyncEvent =
  | { kind: 'started'; enrolled: boolean }
  | { kind: 'enrolled' }
  | { kind: 'session-began'; poll: Poll }
  /** `news`: something was brought that was taken; anything else is nothing new. */
  | { kind: 'answered'; heldMs: number; news: boolean; poll: Poll }
  /** A held request ended without an answer, after it had begun to be held. */
  | { kind: 'cut'; heldMs: number }
  | { kind: 'failed' }
  | { kind: 'session-ended' }
  | { kind: 'refused' }

/** Between two requests at the least, whatever the other side does. */
export const minGapMs = 100
const backoffBaseMs = 1_000
export const backoffCapMs = 60_000
const refusedBaseMs = 5 * 60_000
const refusedCapMs = 30 * 60_000
/** A hold shorter than this is not worth a connection. */
const shortestHoldMs = 5_000
const cutsUntilPolling = 2
const firstPolls = 10
const mostPolls = 160

export const initialSync: SyncState = {
  phase: 'starting',
  step: 'session',
  delayMs: minGapMs,
  waitMs: 0,
  poll: { waitMs: 25_000, intervalMs: 30_000, jitterMs: 5_000 },
  failures: 0,
  refusals: 0,
  cuts: 0,
  cutAfterMs: null,
  holdMs: null,
  pollsLeft: 0,
  pollsNext: firstPolls,
}

/**
 * What the sync client does after something happened. Pure.
 *
 * @param random uniform in [0, 1), for jitter
 */
export function nextSync(state: SyncState, event: SyncEvent, random: number): SyncState {
  switch (event.kind) {
    case 'started':
      return event.enrolled
        ? { ...state, phase: 'session', step: 'session', delayMs: minGapMs, waitMs: 0 }
        : { ...state, phase: 'enrolling', step: 'enrol', delayMs: minGapMs, waitMs: 0 }
    case 'enrolled':
      return { ...state, phase: 'session', step: 'session', delayMs: minGapMs, waitMs: 0, refusals: 0 }
    case 'session-began':
      // The first sync is not held: it says where the other side's knowledge of this agent ends. What was learnt about waiting stays.
      return { ...state, step: 'sync', delayMs: minGapMs, waitMs: 0, poll: event.poll, refusals: 0 }
    case 'answered':
      return answered({ ...state, step: 'sync', poll: event.poll, failures: 0 }, event, random)
    case 'cut':
      return { ...state, step: 'sync', delayMs: gap(random * backoffBaseMs), waitMs: 0, cutAfterMs: event.heldMs }
    case 'failed': {
      const failures = state.failures + 1
      const cap = Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(failures - 1, 30))
      return { ...state, phase: 'offline', failures, delayMs: gap(random * cap), waitMs: 0, cutAfterMs: null }
    }
    case 'session-ended': {
      // Once is how a session ends; again and again is trouble.
      const failures = state.failures + 1
      const cap = failures === 1 ? 0 : Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(failures - 1, 30))
      return { ...state, phase: 'session', step: 'session', failures, delayMs: gap(random * cap), waitMs: 0 }
    }
    case 'refused': {
      const refusals = state.refusals + 1
      const cap = Math.min(refusedCapMs, refusedBaseMs * 2 ** Math.min(refusals - 1, 30))
      const step = state.step === 'enrol' ? 'enrol' : 'session'
      return {
        ...state,
        phase: 'refused',
        step,
        refusals,
        delayMs: cap * (0.5 + random / 2),
        waitMs: 0,
        cutAfterMs: null,
      }
    }
  }
}

function answered(state: SyncState, { heldMs, news }: { heldMs: number; news: boolean }, random: number): SyncState {
  const soon = gap(random * minGapMs)
  if (state.cutAfterMs !== null) return probed(state, state.cutAfterMs, random)
  if (state.waitMs === 0) {
    if (state.phase !== 'polling') return hold({ ...state, phase: 'waiting' }, random)
    if (news) return { ...state, delayMs: soon }
    if (state.pollsLeft > 1) return { ...state, pollsLeft: state.pollsLeft - 1, delayMs: interval(state.poll, random) }
    // Still polling, until a held request shows that waiting works again.
    return hold(state, random)
  }
  if (heldMs >= state.waitMs * 0.9) {
    return hold({ ...state, phase: 'waiting', cuts: 0, pollsNext: firstPolls }, random)
  }
  if (news) return state.phase === 'polling' ? polling(state, random) : hold(state, random)
  // Answered early with nothing: held requests are not held.
  return unheld(state, state.holdMs, random)
}

/** An unheld request right after a cut was answered: the other side is there, so it was the length that was cut off. */
function probed(state: SyncState, cutAfterMs: number, random: number): SyncState {
  const longest = Math.floor(cutAfterMs * 0.8)
  return unheld({ ...state, cutAfterMs: null }, longest < shortestHoldMs ? state.holdMs : longest, random)
}

function unheld(state: SyncState, holdMs: number | null, random: number): SyncState {
  const cuts = state.cuts + 1
  const next = { ...state, cuts, holdMs }
  if (state.phase === 'polling' || cuts >= cutsUntilPolling) return polling(next, random)
  const held = hold({ ...next, phase: 'waiting' }, random)
  return { ...held, delayMs: gap(random * backoffBaseMs * 2 ** cuts) }
}

function polling(state: SyncState, random: number): SyncState {
  const { pollsNext } = state
  return {
    ...state,
    phase: 'polling',
    waitMs: 0,
    cuts: 0,
    pollsLeft: pollsNext,
    pollsNext: Math.min(mostPolls, pollsNext * 2),
    // What something on the way let through may be longer next time.
    holdMs: state.holdMs === null ? null : state.holdMs * 2,
    delayMs: interval(state.poll, random),
  }
}

/** The next sync is held, as long as the manager and what lies on the way allow. */
function hold(state: SyncState, random: number): SyncState {
  const waitMs = Math.floor(Math.min(state.poll.waitMs, state.holdMs ?? state.poll.waitMs, 120_000) / 1_000) * 1_000
  if (waitMs > 0) return { ...state, waitMs, delayMs: gap(random * minGapMs) }
  return polling({ ...state, pollsNext: mostPolls }, random)
}

const gap = (ms: number): number => Math.max(minGapMs, Math.round(ms))
const interval = (poll: Poll, random: number): number => Math.max(1_000, poll.intervalMs + random * poll.jitterMs)
