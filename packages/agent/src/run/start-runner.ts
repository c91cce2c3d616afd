import { createRunner, type EngineDeps, type Runner, type StateStore } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { Problems } from '../problems.ts'
import type { AgentStore } from '../store/agent-store.ts'

/** A due time that was missed, such as over a suspended machine, is found at the next look at the latest. */
const idleMs = 10_000

/**
 * The engine's runner over the agent's store, asleep until what it works on is due: a timer for the next due time instead of a look
 * each second. What keeps the store from being written is said as a problem of the agent.
 */
export function startRunner(
  deps: Omit<EngineDeps, 'store'> & { store: AgentStore; problems: Problems; deployment: string; onRest: () => void },
): Runner {
  const { store, problems, deployment, clock } = deps
  let timer = new AbortController()
  const stopping = new AbortController()
  const runner = createRunner({
    ...deps,
    store: watched(store, problems),
    concurrency: 1,
    idleMs,
    onOutcome: ({ ended }) => {
      arm()
      if (ended === 'rests') deps.onRest()
    },
  })
  const arm = () => {
    timer.abort()
    timer = new AbortController()
    const at = store.look(deployment)?.wakeAt ?? null
    if (at === null || stopping.signal.aborted) return
    clock.sleep(Math.max(0, at - clock.now()), timer.signal).then(runner.wake, () => {})
  }
  runner.start()
  return {
    start: () => runner.start(),
    wake: () => runner.wake(),
    async stop() {
      stopping.abort()
      timer.abort()
      await runner.stop()
    },
    get active() {
      return runner.active
    },
  }
}

/** Says as problems what a store's own failures mean to a person. */
function watched(store: StateStore, problems: Problems): StateStore {
  const told = async <T>(writes: boolean, work: () => Promise<T>): Promise<T> => {
    try {
      const result = await work()
      if (writes) problems.clear('DISK_FULL')
      return result
    } catch (error) {
      if (LandfallError.is(error, 'E_DISK_FULL')) problems.set('DISK_FULL', error.message)
      if (LandfallError.is(error, 'E_AGENT_STATE_TAMPERED')) problems.set('STATE_TAMPERED', error.message)
      throw error
    }
  }
  return {
    claim: (...given) => told(false, () => store.claim(...given)),
    renew: (...given) => told(true, () => store.renew(...given)),
    desired: (...given) => told(false, () => store.desired(...given)),
    persist: (...given) => told(true, () => store.persist(...given)),
    release: (...given) => told(true, () => store.release(...given)),
  }
}
