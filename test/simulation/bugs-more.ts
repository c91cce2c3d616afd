import type { CommandState, Desired, StateStore } from '@landfall/engine'
import type { CommandRecord } from '../../packages/agent/src/commands/command-record.ts'
import type { AgentState } from '../../packages/agent/src/state/agent-state.ts'
import type { Bug } from './bug-list.ts'
import { noSeams, type Seams } from './bugs.ts'

/** Each is to break the invariant that it names. */
const bug = (
  name: string,
  breaks: string,
  [seed, within]: [number, number],
  invariant: string,
  seams: () => Partial<Seams>,
): Bug => ({ name, breaks, seed, within, invariant, seams: () => ({ ...noSeams, ...seams() }) })

const isOpen = ({ status }: CommandState) => status === 'queued' || status === 'running'
const isFree = ({ until }: CommandState, now: number) => until === null || until <= now

/** A store that shows the engine another desired than the one there. */
const showing = (store: StateStore, shown: (desired: Desired) => Desired): StateStore => ({
  ...store,
  claim: async (...given) => {
    const claimed = await store.claim(...given)
    return claimed && { ...claimed, desired: shown(claimed.desired) }
  },
  desired: async (lease) => shown(await store.desired(lease)),
})

/** A disk that shows neither the nonces nor the ends of signed commands. */
function withoutSigned(state: AgentState): AgentState {
  const isOver = (name: string) => {
    const { origin, state: of } = state.get(name) as CommandRecord
    return origin !== null && !isOpen(of)
  }
  const shown: Partial<AgentState> = {
    get: (name) => (name.startsWith('command-nonce/') ? undefined : state.get(name)),
    names: (prefix) => state.names(prefix).filter((name) => prefix !== 'command/' || !isOver(name)),
  }
  return new Proxy(state, { get: (of, key, self) => Reflect.get(key in shown ? shown : of, key, self) })
}

/** Deliberate bugs of commands, maintenance windows and channels. */
export const moreBugs: readonly Bug[] = [
  bug(
    'command-lease-ignored',
    'a command is taken up although its lease runs',
    [1, 10],
    'no attempt begins under the lease of another',
    () => ({ commands: { isDue: (state, now) => isOpen(state) && state.deadline > now } }),
  ),
  bug(
    'command-fencing-dropped',
    'the result of an earlier attempt is taken for that of the one that runs',
    [9, 60],
    'only the current attempt ends it',
    () => ({ commands: { epochOf: (_, state) => state.epoch } }),
  ),
  bug(
    'command-deadline-ignored',
    'a command is begun after its deadline',
    [16, 60],
    'what is over runs no more',
    () => ({
      commands: {
        isDue: (state, now) => isOpen(state) && isFree(state, now),
        held: (held) => ({ ...held, deadline: held.deadline + 3_600_000 }),
      },
    }),
  ),
  bug(
    'command-cancel-ignored',
    'a cancel only says that it did',
    [9, 40],
    'cancelled before its start it never runs',
    () => ({
      commands: { cancelled: (_, before) => ({ ...before }) },
    }),
  ),
  bug('command-key-ignored', 'the same key makes another command each time', [2, 20], 'one key is one command', () => {
    let made = 0
    return { commands: { idOf: (id) => `${id}-${made++}` } }
  }),
  bug(
    'late-answer-taken',
    'an answer that comes after the end is taken',
    [9, 80],
    'what is over never changes',
    () => ({
      commands: { effect: (effect) => (effect.does === 'comes-late' ? { ...effect, does: 'ends' } : effect) },
    }),
  ),
  bug(
    'window-ignored',
    'updates begin outside of maintenance windows',
    [1, 20],
    'updates begin within windows',
    () => ({
      wrapStore: (store) =>
        showing(store, (desired) => ({ ...desired, customer: { ...desired.customer, windows: [] } })),
    }),
  ),
  bug(
    'moved-still-told',
    'a deployment that was moved is still told by the channel it left',
    [2, 20],
    'only its own channel tells',
    () => ({ fleet: { follows: () => true } }),
  ),
  bug(
    'window-close-ignored',
    'a rollout that ends with its window goes on to its end',
    [6, 40],
    'what ends with its window is not promoted after it',
    () => ({
      wrapStore: (store) =>
        showing(store, (desired) => ({ ...desired, policy: { ...desired.policy, windowClose: 'finish' } })),
    }),
  ),
  bug(
    'signed-forgotten',
    'an agent that is started again knows of no signed command that it has run',
    [8, 40],
    'a signed command is not run again',
    () => ({ wrapState: withoutSigned }),
  ),
  bug(
    'own-lease-ignored',
    'whoever claims a command takes its lease to run for an hour',
    [4, 40],
    'no call begins under a lease that ran out',
    () => ({ commands: { held: (held) => ({ ...held, until: held.until + 3_600_000 }) } }),
  ),
  bug(
    'retry-forgotten',
    'what an engine remembers as gone back is told without a retry once something else was told in between',
    [11, 60],
    'what went back is tried again',
    () => ({
      fleet: {
        look: (look, _, db) => ({
          ...look,
          assign: look.assign.map((order) => ({
            ...order,
            retry: order.retry && db.deployment(order.deployment).target?.digest === order.target?.digest,
          })),
        }),
      },
    }),
  ),
]
