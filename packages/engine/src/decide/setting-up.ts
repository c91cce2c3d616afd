import { isCompute } from '../plan/compute.ts'
import { planSetup } from '../plan/plan.ts'
import type { LoadedTarget, Targets } from '../plan/targets.ts'
import { versionId } from '../plan/version-id.ts'
import { settle } from './settle.ts'
import type { Turn } from './turn.ts'

/**
 * Carries an approved setup out: the isolated area, then everything frozen. The only place where a frozen resource is made
 * or changed. Answers whether nothing waits for the setup: it is complete, or there is nothing to set up for.
 */
export function setUp(turn: Turn, targets: Targets): boolean {
  const { state, desired } = turn
  if (!desired.setup || state.setup === desired.setup.release) return true
  // Without a target there is no config to set up with: it is carried out once there is one, and nothing waits for it.
  if (!desired.target && !state.stable) return true
  const target = configTarget(turn, targets)
  if (!targets.setup || !target) {
    const problem = targets.setupProblem ?? { code: 'RELEASE_UNAVAILABLE', message: 'The release is not loaded yet' }
    turn.waitsFor.push(problem)
    turn.wake(turn.now + turn.limits.rolloutTickMs)
    return false
  }
  if (!state.stable && !state.candidate && state.phase !== 'setting-up') {
    turn.set({ phase: 'setting-up' })
    turn.setReason('SETTING_UP', `Making what is frozen, as approved with release ${targets.setup.version}`)
    turn.emit('setup.started', `Setup of release ${targets.setup.version} starts`, {
      data: { release: targets.setup.digest },
    })
  }
  if (turn.state.area !== 'open') {
    turn.operate({ kind: 'open-area' })
    return false
  }
  const operations = planSetup(targets.setup.manifest.resources, target, turn.state)
  for (const { resource, applied, after } of operations) {
    if (after.some((name) => turn.state.resources[name]?.phase !== 'ready')) continue
    turn.operate({ kind: 'ensure', resource, target: target.target, applied })
  }
  if (operations.length > 0 || !setUpCompute(turn, targets, target)) return false
  turn.set({ setup: desired.setup.release })
  turn.emit('setup.completed', `Setup of release ${targets.setup.version} is complete`, {
    data: { release: targets.setup.digest },
  })
  return true
}

/** A frozen worker gets its one version here, without steps, and keeps it. */
function setUpCompute(turn: Turn, targets: Targets, target: LoadedTarget): boolean {
  let all = true
  for (const resource of targets.setup?.manifest.resources ?? []) {
    if (!isCompute(resource) || resource.lifecycle !== 'frozen') continue
    const id = versionId(resource, target.config)
    const worker = turn.state.workers[resource.name]
    if (worker?.rest === id) continue
    if (worker?.stable !== id) {
      turn.worker(resource.name, { stable: id, versions: { ...worker?.versions, [id]: { target: target.target } } })
    }
    if (!settle(turn, resource, id, target, new Set())) all = false
  }
  return all
}

/** Whose config the setup uses: that of the wanted target, else of what runs. */
function configTarget(turn: Turn, targets: Targets): LoadedTarget | null {
  const wanted = turn.desired.target && targets.loaded.get(turn.desired.target.digest)
  const stable = turn.state.stable && targets.loaded.get(turn.state.stable.digest)
  return wanted ?? stable ?? null
}
