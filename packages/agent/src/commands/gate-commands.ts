import { createHash } from 'node:crypto'
import type { Clock, GatePorts } from '@landfall/engine'
import { durationMs } from '@landfall/stack'
import type { CommandQueue } from './command-queue.ts'

/** Commands of gates: queued once under a name made from what is asked; the manager hears of them as of others. */
export function createGateCommands(
  queue: CommandQueue,
  clock: Pick<Clock, 'now'>,
  wake: () => void,
): GatePorts['command'] {
  return async ({ deployment, key, rollout, worker, version, gate }) => {
    const hash = createHash('sha256')
      .update(JSON.stringify(['gate', deployment.id, rollout, key]))
      .digest('hex')
    const id = `cmd_${hash.slice(0, 25)}`
    const known = queue.records.get(id)
    if (known) return known.state
    const now = clock.now()
    const deadline = now + durationMs(gate.timeout)
    const origin = { worker: worker.name, command: gate.command, issuedAt: now, deadline, by: `gate:${rollout}` }
    const { command, input = {} } = gate
    const { state } = queue.add({ id, worker: worker.name, version, command, input, deadline, origin })
    wake()
    return state
  }
}
