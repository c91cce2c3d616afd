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
    [1, 60],
    'only the current attempt ends it',
    () => ({ commands: { epochOf: (_, state) => state.epoch } }),
  ),
  bug(
    'command-begun-stale',
    'a runner that was stopped after its claim calls the worker as if its lease still ran',
    [1, 80],
    'no attempt begins under the lease of another',
    () => ({ commands: { held: (held) => ({ ...held, until: held.until + 3_600_000 }) } }),
  ),
  bug('command-deadline-ignored', 'a command is begun after its deadline', [1, 60], 'deadlines are kept', () => ({
    commands: {
      isDue: (state, now) => isOpen(state) && isFree(state, now),
      held: (held) => ({ ...held, deadline: held.deadline + 3_600_000 }),
    },
  })),
  bug(
    'command-cancel-ignored',
    'a cancel only says that it did',
    [1, 40],
    'cancelled before its start it never runs',
    () => ({
      commands: { cancelled: (_, before) => ({ ...before }) },
    }),
  ),
  bug('command-key-ignored', 'the same key makes another command each time', [1, 20], 'one key is one command', () => {
    let made = 0
    return { commands: { idOf: (id) => `${id}-${made++}` } }
  }),
  bug(
    'late-answer-taken',
    'an answer that comes after the end is taken',
    [1, 80],
    'what is over never changes',
    () => ({
      commands: { effect: (effect) => (effect.does === 'comes-late' ? { ...effect, does: 'ends' } : effect) },
    }),
  ),
  bug(
    'signed-command-forgotten',
    'an agent forgets, when it is started again, what it has run, and the nonces of signed commands',
    [1, 60],
    'an attempt runs once',
    () => ({
      commands: {
        recalled: (name, value) => {
          const ended = (value as { state?: CommandState } | undefined)?.state?.finishedAt != null
          return name.startsWith('command-nonce/') || (name.startsWith('command/') && ended) ? undefined : value
        },
      },
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
    'window-close-ignored',
    'a rollout that is to end with its window goes on after it',
    [1, 60],
    'what ends with its window is not promoted after it',
    () => ({
      wrapStore: (store) =>
        showing(store, (desired) => ({ ...desired, policy: { ...desired.policy, windowClose: 'finish' } })),
    }),
  ),
  bug(
    'moved-still-told',
    'a deployment that was moved is still told by the channel it left',
    [1, 20],
    'only its own channel tells',
    () => ({ fleet: { follows: () => true } }),
  ),
]
