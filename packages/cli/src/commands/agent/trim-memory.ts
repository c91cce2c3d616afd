import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const firstMs = 15_000
const everyMs = 120_000

type Collect = (options: { type: 'major'; execution: 'async'; flavor: 'last-resort' }) => Promise<void>

/**
 * Gives memory back that the process does not need: once it has started, and from time to time. V8 collects when it allocates; an agent that
 * waits hardly does, and would keep for hours what loading and a rollout left behind. Costs some tens of milliseconds each time.
 */
export function trimMemory(signal: AbortSignal): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  const trim = () => void collect({ type: 'major', execution: 'async', flavor: 'last-resort' })
  const first = setTimeout(trim, firstMs).unref()
  const again = setInterval(trim, everyMs).unref()
  signal.addEventListener('abort', () => {
    clearTimeout(first)
    clearInterval(again)
  })
}
