import type { RolloutState } from '@landfall/rollout'
import type { Turn } from './turn.ts'

/** Events for what changed in a worker's machine between two looks; a person reads these in the audit log. */
export function narrate(turn: Turn, worker: string, before: RolloutState, after: RolloutState): void {
  const data = { rollout: after.id, step: after.step, asked: after.asked, served: after.served }
  if (after.step !== before.step && after.step >= 0) {
    turn.emit('rollout.step', `${worker}: step ${after.step + 1}, ${after.asked}% asked`, { resource: worker, data })
  }
  if (after.reachedAt !== null && before.reachedAt !== after.reachedAt) {
    turn.emit('rollout.step-reached', `${worker}: ${after.served}% is served by the candidate`, {
      resource: worker,
      data,
    })
  }
  if (after.pause && !before.pause) {
    turn.emit('rollout.paused', `${worker}: ${after.reason.message}`, {
      resource: worker,
      code: after.reason.code,
      data,
    })
  }
  if (!after.pause && before.pause) turn.emit('rollout.resumed', `${worker}: goes on`, { resource: worker, data })
  if (after.phase !== before.phase && (after.phase === 'promoting' || after.phase === 'complete')) {
    turn.emit(`rollout.${after.phase}`, `${worker}: ${after.reason.message}`, {
      resource: worker,
      code: after.reason.code,
      data: { ...data, evidence: after.evidence },
    })
  }
  for (const decision of after.decisions.slice(-20)) {
    if (!decision.by || before.decisions.some((one) => one.at === decision.at && one.code === decision.code)) continue
    turn.emit('rollout.control', `${worker}: ${decision.message}`, {
      resource: worker,
      code: decision.code,
      data: { ...data, by: decision.by },
    })
  }
}
