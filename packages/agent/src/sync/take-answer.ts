import type { SyncAnswer } from '@landfall/contract'
import type { Clock } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { AgentAudit } from '../audit/agent-audit.ts'
import type { Orders } from '../orders/orders.ts'
import type { AgentCommands } from '../parts.ts'
import type { Problems } from '../problems.ts'
import type { Reporter } from '../report/reporter.ts'
import type { Settings } from '../settings/settings.ts'
import type { Trust } from '../sources/trust.ts'
import type { Upstream } from '../sources/upstream.ts'
import type { AgentState } from '../state/agent-state.ts'
import type { AgentStore } from '../store/agent-store.ts'

export interface TakeDeps {
  state: AgentState
  deployment: string
  trust: Trust
  orders: Orders
  settings: Settings
  reporter: Reporter
  problems: Problems
  audit: AgentAudit
  store: AgentStore
  clock: Clock
  commands: () => AgentCommands
  upstream: Upstream
  wake: () => void
}

/** From here on windows can't be told from the agent's own clock. */
const clockLimitMs = 5 * 60_000

/** Takes in what a sync brought, in an order that makes a kill in between harmless. Answers whether it brought anything that was taken. */
export async function takeAnswer(deps: TakeDeps, answer: SyncAnswer): Promise<boolean> {
  const { trust, orders, reporter, problems, clock, commands, upstream } = deps
  compareClocks(deps, clock.now() - Date.parse(answer.now))
  reporter.passed(answer.reported)
  compareChains(deps, answer.audit)
  keepCheckpoint(deps.state, answer.checkpoint)
  if (answer.keyset > trust.version()) {
    // Where this fails, the verifier asks again when it needs it.
    await upstream.keyset().then(
      (keyset) => told(problems, 'KEYSET_REFUSED', () => trust.take(keyset, clock.now())),
      () => {},
    )
  }
  let news = false
  if (answer.order) {
    const { order } = answer
    news = told(problems, 'ORDER_REFUSED', () => orders.apply(order, 'sync')) ?? false
  }
  if (answer.commands.length > 0) {
    const taken = told(problems, 'COMMANDS_REFUSED', () => {
      commands().take(answer.commands)
      return true
    })
    news ||= taken ?? false
  }
  if (answer.cancel.length > 0) {
    commands().cancel(answer.cancel)
    news = true
  }
  return news
}

/** Runs it; a refusal is said as a problem, and undefined is answered. */
function told<T>(problems: Problems, code: string, work: () => T): T | undefined {
  try {
    const result = work()
    problems.clear(code)
    return result
  } catch (error) {
    if (!LandfallError.is(error)) throw error
    problems.set(error.code === 'E_DISK_FULL' ? 'DISK_FULL' : code, error.message)
    return undefined
  }
}

/** A clock that is off is said and never put right: where windows are set, starts are held until it is. */
function compareClocks({ reporter, settings, problems, store, deployment, wake }: TakeDeps, offset: number): void {
  reporter.setClockOffset(offset)
  const off = Math.abs(offset) > clockLimitMs
  sayClock(problems, off, offset)
  if (off === settings.clockOff()) return
  settings.setClockOff(off)
  store.touch(deployment)
  wake()
}

export function sayClock(problems: Problems, off: boolean, offset: number | null): void {
  if (!off) {
    problems.clear('CLOCK_OFF')
    return
  }
  const minutes = Math.round(Math.abs(offset ?? 0) / 60_000)
  const which = (offset ?? 0) > 0 ? 'ahead of' : 'behind'
  problems.set(
    'CLOCK_OFF',
    `The clock here is ${minutes} minutes ${which} the manager's. Updates that wait for a maintenance window do not begin until it is right.`,
  )
}

/** The manager's copy of the agent's audit must be a beginning of the agent's own. */
function compareChains({ audit, deployment, problems, reporter }: TakeDeps, copy: SyncAnswer['audit']): void {
  const own = audit.head(deployment)
  const link = copy.number === 0 ? null : audit.list(deployment, copy.number - 1, 1)[0]
  const fits = copy.number === 0 || (copy.number <= (own?.number ?? 0) && link?.hash === copy.hash)
  reporter.setCopy(fits ? copy.number : null)
  if (fits) problems.clear('AUDIT_DIVERGED')
  else {
    problems.set(
      'AUDIT_DIVERGED',
      `The manager has another record of what happened here (its entry ${copy.number}): the agent's directory was put back to an earlier state, or the record was changed.`,
    )
  }
}

/** For the customer: the newest signed word of the manager for its own chain. */
function keepCheckpoint(state: AgentState, checkpoint: SyncAnswer['checkpoint']): void {
  if (!checkpoint) return
  const known = state.get('checkpoint') as NonNullable<SyncAnswer['checkpoint']> | undefined
  if (known?.signature !== checkpoint.signature) state.put('checkpoint', checkpoint)
}
