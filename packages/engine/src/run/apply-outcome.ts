import { abandon } from '../decide/abandon.ts'
import { reject } from '../decide/aim.ts'
import { dataKey, isCleanup, type Operation } from '../decide/operations.ts'
import type { Turn } from '../decide/turn.ts'
import { park, restored } from '../decide/withhold.ts'
import type { Random } from '../ports/clock.ts'
import type { ComputeObservation, ResourceObservation, StepResult } from '../ports/platform.ts'
import { backoff } from './backoff.ts'
import type { Outcome } from './outcome.ts'

/** Brings the outcome of one operation into the state. `turn` holds the newest state and collects events. */
export function applyOutcome(turn: Turn, operation: Operation, outcome: Outcome, random: Random): void {
  if (outcome.kind === 'error') applyError(turn, operation, outcome, random)
  else if (operation.kind === 'probe') restored(turn, 'The environment lets us in again')
  else if (operation.kind === 'open-area' || operation.kind === 'close-area') {
    turn.set({ area: operation.kind === 'open-area' ? 'open' : 'closed' })
    turn.emit(operation.kind === 'open-area' ? 'area.opened' : 'area.closed', areaWords[operation.kind])
  } else if (outcome.kind === 'step') applyStep(turn, operation, outcome.result)
  else if (outcome.kind === 'compute' && operation.kind === 'observe') {
    applyLook(turn, operation.resource.name, outcome.observation)
  } else if (outcome.kind === 'resource' && operation.kind === 'observe') {
    applyObservation(turn, operation.resource.name, outcome.observation)
  }
}

const areaWords = { 'open-area': 'The isolated area is there', 'close-area': 'The isolated area is gone' }

function applyStep(turn: Turn, operation: Operation, result: StepResult): void {
  if (!('resource' in operation)) return
  const name = operation.resource.name
  const before = turn.state.resources[name]
  if (result.did) turn.emit('resource.action', `${name}: ${result.did}`, { resource: name })
  if (!before) return
  const retry = before.retry && before.retry.operation === operation.kind ? null : before.retry
  const data = { ...before.data, [dataKey(operation)]: result.data }
  turn.resource(name, { data, retry })
  if (result.kind === 'wait') {
    const since = before.reason?.code === result.reason.code ? before.reason.since : turn.now
    // What is ready stays ready while something beside it, such as an old version, still drains.
    if (before.phase !== 'ready') turn.resource(name, { reason: { ...result.reason, since } })
    return
  }
  if (result.kind === 'continue') return
  if (result.outputs) turn.resource(name, { outputs: result.outputs })
  done(turn, operation, before.applied !== null)
}

function done(turn: Turn, operation: Operation, existed: boolean): void {
  switch (operation.kind) {
    case 'ensure':
      turn.resource(operation.resource.name, { applied: operation.applied, phase: 'ready', reason: null, drift: [] })
      turn.emit(
        existed ? 'resource.updated' : 'resource.created',
        `${operation.resource.type} ${operation.resource.name} is ready`,
        {
          resource: operation.resource.name,
        },
      )
      return
    case 'version': {
      const before = turn.state.resources[operation.resource.name]
      if (before?.phase === 'creating') turn.resource(operation.resource.name, { phase: 'updating' })
      if (before?.phase === 'failed') turn.resource(operation.resource.name, { phase: 'degraded' })
      return
    }
    case 'remove-version': {
      const name = operation.resource.name
      const { [operation.version]: _gone, ...versions } = turn.state.workers[name]?.versions ?? {}
      const { [operation.version]: _data, ...data } = turn.state.resources[name]?.data ?? {}
      turn.worker(name, { versions })
      turn.resource(name, { data })
      return
    }
    case 'remove': {
      const { [operation.resource.name]: _resource, ...resources } = turn.state.resources
      const { [operation.resource.name]: _worker, ...workers } = turn.state.workers
      turn.set({ resources, workers })
      turn.emit('resource.removed', `${operation.resource.type} ${operation.resource.name} is gone`, {
        resource: operation.resource.name,
      })
      return
    }
    case 'route':
      turn.emit('traffic.routed', `${operation.resource.name}: ${sharesInWords(operation.shares)}`, {
        resource: operation.resource.name,
        data: { shares: operation.shares },
      })
      return
    case 'triggers':
      turn.emit(
        'triggers.moved',
        `${operation.resource.name}: cron and storage events go to ${short(operation.version)}`,
        {
          resource: operation.resource.name,
        },
      )
      return
    default:
  }
}

function short(version: string | null): string {
  return version ? version.slice(7, 19) : 'nothing'
}

function sharesInWords(shares: Readonly<Record<string, number>>): string {
  const parts = Object.entries(shares).map(([id, share]) => `${share}% to ${short(id)}`)
  return parts.length > 0 ? parts.join(', ') : 'nothing is served'
}

/** A look at a worker goes into the state only where it differs, so that steady observation writes nothing. */
function applyLook(turn: Turn, name: string, seen: ComputeObservation): void {
  const worker = turn.state.workers[name]
  const before = turn.state.resources[name]
  if (worker && (JSON.stringify(worker.served) !== JSON.stringify(seen.served) || worker.url !== seen.url)) {
    turn.worker(name, { served: seen.served, url: seen.url })
  }
  if (!before || before.phase === 'deleting') return
  if (JSON.stringify(before.drift) !== JSON.stringify(seen.drift)) turn.resource(name, { drift: seen.drift })
  if (!worker?.stable) return
  const own = seen.versions[worker.stable]
  const well = own !== undefined && own.available > 0
  if (well && before.phase !== 'ready') {
    turn.resource(name, { phase: 'ready', reason: null, applied: worker.stable })
  } else if (!well && before.phase === 'ready') {
    const reason = own?.failing ?? { code: 'NOT_AVAILABLE', message: 'No instance passes its health check' }
    turn.resource(name, { phase: 'degraded', reason: { ...reason, since: turn.now } })
    turn.emit('resource.degraded', `${name}: ${reason.message}`, { resource: name, code: reason.code })
  }
}

function applyObservation(turn: Turn, name: string, seen: ResourceObservation): void {
  const before = turn.state.resources[name]
  if (!before || before.phase === 'deleting') return
  const reason = seen.reason ?? observedWords[seen.status]
  if (JSON.stringify(before.drift) !== JSON.stringify(seen.drift)) {
    turn.resource(name, { drift: seen.drift })
    if (seen.drift.length > 0)
      turn.emit('resource.drifted', `${name}: ${seen.drift.join('; ')}`, { resource: name, code: 'DRIFT' })
  }
  if (seen.status === 'ok') {
    if (before.phase !== 'ready') turn.resource(name, { phase: 'ready', reason: null })
    return
  }
  const phase = seen.status === 'foreign' ? 'failed' : 'degraded'
  // What is live and gone is made again; what is frozen and gone is the customer's matter, and said.
  const again = seen.status === 'missing' && before.lifecycle === 'live' ? { applied: null } : {}
  if (before.phase !== phase || before.reason?.code !== reason.code) {
    turn.resource(name, { phase, reason: { ...reason, since: turn.now }, ...again })
    turn.emit(`resource.${seen.status}`, `${name}: ${reason.message}`, { resource: name, code: reason.code })
  } else turn.resource(name, again)
}

const observedWords = {
  ok: { code: 'OK', message: 'Is as it should be' },
  degraded: { code: 'DEGRADED', message: 'Does not work as it should' },
  missing: { code: 'MISSING', message: 'Is not there any more' },
  foreign: { code: 'E_FOREIGN', message: 'Something of this name exists that is not ours' },
}

function applyError(
  turn: Turn,
  operation: Operation,
  error: Extract<Outcome, { kind: 'error' }>,
  random: Random,
): void {
  // For a probe, anything but a clear yes leaves it parked.
  if (error.code === 'E_ACCESS_REVOKED' || operation.kind === 'probe') {
    accessLost(turn, error, random)
    return
  }
  if (!('resource' in operation) || operation.kind === 'observe' || operation.kind === 'ask-gate') return
  const name = operation.resource.name
  const before = turn.state.resources[name]
  if (!before || error.code === 'E_DEPENDENCY_NOT_READY') return
  const lastError = { code: error.code, message: error.message }
  const free = error.code === 'E_THROTTLED'
  const attempts = (before.retry?.attempts ?? 0) + (free ? 0 : 1)
  const throttled = free ? (before.retry?.throttled ?? 0) + 1 : 0
  const spent = !free && (!error.retryable || attempts >= turn.limits.attempts)
  const delay = spent
    ? turn.limits.backoffMaxMs * (0.5 + random.next() / 2)
    : backoff(Math.max(1, attempts, throttled), turn.limits, random)
  const nextAt = turn.now + Math.ceil(delay)
  turn.resource(name, { retry: { attempts, nextAt, lastError, operation: operation.kind, throttled } })
  if (!spent) return
  if (attempts <= turn.limits.attempts) {
    turn.emit('resource.failed', `${name}: ${error.message}`, { resource: name, code: error.code, data: { attempts } })
  }
  if (isCleanup(operation)) return
  turn.resource(name, { phase: 'failed', reason: { ...lastError, since: before.reason?.since ?? turn.now } })
  const candidate = turn.state.candidate
  if (!candidate) return
  // What fails for good on the way to a new target takes the whole deployment back.
  reject(turn, candidate, error.code, `${name}: ${error.message}`)
  abandon(turn, { code: error.code, message: `${name}: ${error.message}`, superseded: false })
}

function accessLost(turn: Turn, error: { code: string; message: string }, random: Random): void {
  const probeAt = turn.now + Math.ceil(turn.limits.probeMs * (0.75 + random.next() / 2))
  if (!turn.state.parked) turn.emit('access.revoked', error.message, { code: 'E_ACCESS_REVOKED' })
  park(turn, probeAt)
  turn.setReason(
    'ACCESS_REVOKED',
    'The environment does not let us in; we look again now and then, and go on by ourselves',
  )
}
