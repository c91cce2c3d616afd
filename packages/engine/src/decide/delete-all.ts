import { removable } from './resources.ts'
import type { Turn } from './turn.ts'

/** Takes everything away, users before what they use, the area last. The one place where frozen resources are removed. */
export function deleteAll(turn: Turn): void {
  if (turn.state.phase === 'deleted') return
  if (turn.state.phase !== 'deleting') {
    turn.set({
      phase: 'deleting',
      candidate: null,
      previous: null,
      resources: Object.fromEntries(
        Object.entries(turn.state.resources).map(([name, resource]) => [name, { ...resource, retry: null }]),
      ),
    })
    turn.setReason('DELETING', 'Taking everything away')
    turn.emit('deployment.deleting', 'Taking everything away')
  }
  const left = Object.values(turn.state.resources).filter((resource) => resource.phase !== 'deleted')
  const specs = left.flatMap((resource) => (resource.spec ? [resource.spec] : []))
  for (const resource of removable(specs)) turn.operate({ kind: 'remove', resource, target: turn.state.stable })
  if (specs.length > 0) return
  if (turn.state.area && turn.state.area !== 'closed') {
    turn.operate({ kind: 'close-area' })
    return
  }
  turn.set({ phase: 'deleted', stable: null, workers: {}, conditions: [] })
  turn.setReason('DELETED', 'Everything is gone')
  turn.emit('deployment.deleted', 'Everything is gone')
}
