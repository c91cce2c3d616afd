import { setTimeout as sleep } from 'node:timers/promises'
import { type DeploymentRef, runAttempt } from '@landfall/engine'
import { createLocalPlatform } from '@landfall/platform-local'
import { CommandQueue } from '../commands/command-queue.ts'
import { AgentState } from '../state/agent-state.ts'

/** Runs the command that is due in an agent's queue, in the deployment's real environment; says what was written and how it ended. */
const [directory = '', key = '', replyKey = '', deployment = ''] = process.argv.slice(2)
const state = AgentState.open(directory, Buffer.from(key, 'hex'))
const clock = {
  now: () => Date.now(),
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal ? { signal } : {}),
}
const ref = JSON.parse(deployment) as DeploymentRef
const queue = new CommandQueue({ state, clock, replyKey, note: () => {}, deployment: () => ref })
const held = await queue.claim('agent', 15_000, clock.now())
if (!held) throw new Error('nothing is due')
const platform = createLocalPlatform({})
await runAttempt(
  {
    ...{ port: queue, clock, random: { next: Math.random }, leaseMs: 15_000 },
    invokerOf: () => platform.invoker,
    check: async () => {},
    log: { info: () => {}, warn: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) },
    onChange: () => process.stdout.write(`${queue.records.get(held.id)?.output.chunks} pieces\n`),
  },
  held,
  new AbortController().signal,
)
process.stdout.write(`${queue.records.get(held.id)?.state.status}\n`)
state.close()
