import type { CommandState, Desired, StateStore } from '@landfall/engine'
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
]
