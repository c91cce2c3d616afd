import { readFileSync } from 'node:fs'
import { BundleStore } from '@landfall/release'
import { startAgent } from '../start-agent.ts'
import { AgentState } from '../state/agent-state.ts'
import { fixtureClock } from './fixture-clock.ts'

/**
 * An agent that imports a bundle and kills itself, by SIGKILL: at a share of its bytes (`0.5`), or after so many transactions of its
 * state since the import was in the store (`after 0`, `after 1`, …). It says `applied` when it came through.
 */
const [directory = '', key = '', setup = '', bundle = '', when = ''] = process.argv.slice(2)
const die = () => process.kill(process.pid, 'SIGKILL')
const agent = await startAgent({
  directory,
  key: Buffer.from(key, 'hex'),
  setup: JSON.parse(readFileSync(setup, 'utf8')),
  clock: fixtureClock(),
})

if (when.startsWith('after ')) {
  let left = Number.POSITIVE_INFINITY
  const { commit } = BundleStore.prototype
  BundleStore.prototype.commit = async function (...given) {
    await commit.apply(this, given)
    left = Number(when.slice(6))
    if (left === 0) die()
  }
  const { transaction } = AgentState.prototype
  let depth = 0
  AgentState.prototype.transaction = function <T>(work: () => T): T {
    depth++
    try {
      return transaction.call(this, work) as T
    } finally {
      if (--depth === 0 && --left <= 0) die()
    }
  }
}

await agent.importBundle(bundle, {
  by: 'ada',
  onProgress: (done, total) => {
    if (!when.startsWith('after ') && done / total >= Number(when)) die()
  },
})
process.stdout.write('applied\n', die)
