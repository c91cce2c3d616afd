/** What is remembered of an agent's sessions. */
export interface SessionMemory {
  /** Number of the current session; 0: none yet. Never falls. */
  session: number
  /** What the agent names as its last session when it begins the next; 0 after its enrolment. */
  named: number
  /** What it named to get the current one; null: it has none since its enrolment. */
  namedBefore: number | null
  /** Nonces of its last requests, newest first; that of the current session is the first. */
  nonces: readonly string[]
  /** The database was restored since the last session began: the agent may name one that was begun after the backup. */
  restored: boolean
}

export type SessionVerdict =
  | { kind: 'begins'; memory: SessionMemory }
  /** The same request again: its answer was lost. The same session. */
  | { kind: 'again' }
  /** A request that was answered before, and that is over: it was late. Says nothing of who sends it. */
  | { kind: 'late' }
  /** It does not know the last session: another agent with its key has begun one. */
  | { kind: 'cloned' }

const remembered = 8
/** Far below 2^53, and far above what is ever reached: a number that nobody can push to the end. */
const highest = 2 ** 48

/** What a proved request for a session comes to. Pure. */
export function judgeSession(memory: SessionMemory, request: { previous: number; nonce: string }): SessionVerdict {
  const { session, named, namedBefore, nonces } = memory
  const { previous, nonce } = request
  if (previous === namedBefore && nonce === nonces[0]) return { kind: 'again' }
  if (nonces.includes(nonce)) return { kind: 'late' }
  // A number that was never given: the database was restored from before it. A copy of the agent could say so too, and it would be found
  // out all the same: the other one then names a session that is not the last.
  // A restore by `landfall restore` raises the number, so that no token of the lost history is current again, and says that it did.
  const ahead = (previous > session || (memory.restored && previous > named)) && previous < highest
  if (previous !== named && !ahead) return { kind: 'cloned' }
  const number = Math.max(session, ahead ? previous : 0) + 1
  const next = {
    session: number,
    named: number,
    namedBefore: previous,
    nonces: [nonce, ...nonces].slice(0, remembered),
    restored: false,
  }
  return { kind: 'begins', memory: next }
}
