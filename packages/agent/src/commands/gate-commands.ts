import { createHash } from 'node:crypto'
import type { Clock } from '@landfall/engine'
import { durationMs } from '@landfall/stack'
import type { GateCommands } from '../sources/gates.ts'
import type { CommandQueue } from './command-queue.ts'

/** Commands of gates: queued once under a name made from what is asked, and their end is the answer. */
export function createGateCommands(queue: CommandQueue, clock: Pick<Clock, 'now'>, wake: () => void): GateCommands {
  return async ({ key, rollout, worker, version, gate }) => {
    const hash = createHash('sha256')
      .update(JSON.stringify(['gate', key]))
      .digest('hex')
    const id = `cmd_${hash.slice(0, 25)}`
    const now = clock.now()
    const deadline = now + durationMs(gate.timeout)
    const origin = { worker: worker.name, command: gate.command, issuedAt: now, deadline, by: `gate:${rollout}` }
    const known = queue.records.get(id)
    const { state } =
      known ??
      queue.add({ id, worker: worker.name, version, command: gate.command, input: gate.input ?? {}, deadline, origin })
    if (!known) wake()
    if (state.status === 'queued' || state.status === 'running') {
      return { status: 'wait', message: `Command ${gate.command} has not ended yet` }
    }
    if (state.status === 'succeeded') return { status: 'pass', message: `Command ${gate.command} succeeded` }
    const message = `Command ${gate.command}: ${state.error?.message ?? state.status}`.slice(0, 500)
    return { status: 'fail', message }
  }
}
