import type { Decision, RolloutState } from '../machine/types.ts'
import { words } from '../plan/duration.ts'
import type { Standing } from './advance-fleet.ts'
import type { FleetObservation, FleetPlan, MemberStatus } from './types.ts'

/** What a fleet rollout waits for, in words, with a stable code. */
export function explainFleet(
  plan: FleetPlan,
  core: RolloutState,
  standing: Standing,
  freeze: FleetObservation['freeze'],
): { code: string; message: string } {
  const counts = new Map<string, number>()
  for (const { status } of Object.values(standing.members)) counts.set(status, (counts.get(status) ?? 0) + 1)
  const count = (status: MemberStatus) => counts.get(status) ?? 0
  const wave = plan.waves[core.step]
  const name =
    wave && core.phase !== 'promoting' ? `Wave ${core.step + 1} of ${plan.waves.length} (${wave.name})` : 'The rest'
  const numbers = `${count('succeeded')} of ${standing.counted.length} deployments have it, ${count('in-flight')} in flight, ${count('failed')} failed`
  if (core.phase === 'aborting')
    return {
      code: 'returning',
      message: `Goes back: ${count('returned')} returned, ${count('returning')} on the way. ${core.aborted?.message ?? ''}`,
    }
  if (core.phase === 'aborted')
    return {
      code: core.aborted?.code ?? 'aborted',
      message: `${core.aborted?.message ?? 'Aborted'}; ${count('returned')} back on their own version${count('returning') > 0 ? `, ${count('returning')} will be when they can be reached` : ''}`,
    }
  if (core.phase === 'superseded') return { code: 'superseded', message: 'A newer release takes its place' }
  if (core.phase === 'complete') return { code: 'complete', message: `Complete: ${numbers}` }
  if (core.phase === 'paused') {
    const why = core.pause?.kind === 'step' ? `${name} is done: a person resumes` : 'Paused until a person resumes'
    return { code: `paused-${core.pause?.kind ?? 'person'}`, message: `${why}; ${numbers}` }
  }
  if (standing.counted.length === 0)
    return {
      code: 'nobody-counts',
      message: `Waiting for a deployment that can be updated: ${count('excluded')} are pinned, offline, awaiting approval or outside their window`,
    }
  if (freeze)
    return {
      code: 'frozen',
      message: `Frozen${freeze.until === null ? '' : ' for a time'}: ${freeze.reason}; nobody is told before it ends. ${numbers}`,
    }
  if (core.healthySince !== null && wave && core.lookedAt - core.healthySince < wave.soakMs)
    return {
      code: 'soaking',
      message: `${name} soaks: ${words(core.lookedAt - core.healthySince)} of ${words(wave.soakMs)}; ${numbers}`,
    }
  if (core.reason.code === 'waiting-for-peers')
    return {
      code: 'wave-waits',
      message: `${name}: ${core.reason.message.replace('Waiting for the other workers: ', '')}; ${numbers}`,
    }
  return { code: 'rolling-out', message: `${name}: ${numbers}` }
}

/** A decision of the machine in the words of a fleet. */
export function fleetWords(plan: FleetPlan, decision: Decision): Decision {
  const name = plan.waves[decision.step]?.name ?? 'the rest'
  const messages: Readonly<Record<string, string>> = {
    'step-entered': `Wave ${decision.step + 1} of ${plan.waves.length} (${name}) begins`,
    'share-reached': `Every deployment of ${name} has settled`,
    'step-passed': `${name} has held: goes on`,
    promoting: 'Every deployment has settled',
    complete: 'Complete',
    aborted: 'Those that were reached are back on their own version',
  }
  return { ...decision, message: messages[decision.code] ?? decision.message }
}
