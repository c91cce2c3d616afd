import { createReleaseCheck, runAttempt } from '@landfall/engine'
import type { AuditEvent } from '../audit/agent-audit.ts'
import type { AgentCommands, AgentParts } from '../parts.ts'
import type { GateCommands } from '../sources/gates.ts'
import { acceptSigned } from './accept-signed.ts'
import { CommandQueue } from './command-queue.ts'
import { isOpen } from './command-record.ts'
import { updatesOf, updatesTaken } from './command-updates.ts'
import { createGateCommands } from './gate-commands.ts'
import { tidyNonces } from './nonces.ts'

const concurrency = 4
const leaseMs = 15_000
/** While something runs: the customer may have revoked access. */
const lookMs = 1_000
const idleMs = 60_000
const revokedMs = 5_000
/** After the agent's own state could not be read or written. */
const brokenMs = 5_000
const tellMs = 30_000

export type CommandParts = Pick<
  AgentParts,
  'state' | 'clock' | 'random' | 'log' | 'setup' | 'store' | 'settings' | 'sources' | 'problems' | 'changed' | 'audit'
> & { platform: Pick<AgentParts['platform'], 'invoker'> }

/** Runs the agent's commands, a few at once, by the same loop as a manager's. While the customer has revoked access, none. */
export function startCommands(parts: CommandParts): AgentCommands & { gates: GateCommands } {
  const { state, clock, random, log, setup, store, settings, sources, problems, changed, audit } = parts
  const deployment = () => store.look(setup.deployment.id)?.desired.deployment ?? setup.deployment
  const note = (event: AuditEvent) => audit.append(setup.deployment.id, [event])
  const queue = new CommandQueue({ state, clock, deployment, note, replyKey: setup.reply.seal })
  const check = createReleaseCheck(sources.verifier, async ({ id }) => {
    const look = store.look(id)
    return look ? { state: look.state, trustedKeys: look.desired.policy.trustedKeys } : null
  })
  const allowed = () => settings.inForce().access === 'granted'
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  let halt = new AbortController()
  let pause = new AbortController()
  const wake = () => pause.abort()

  const begin = async () => {
    if (queue.sweep()) changed()
    if (!allowed()) return halt.abort()
    if (halt.signal.aborted) halt = new AbortController()
    const ends = AbortSignal.any([stopping.signal, halt.signal])
    while (running.size < concurrency && !ends.aborted) {
      const held = await queue.claim('agent', leaseMs, clock.now())
      if (!held) return
      const invokerOf = () => parts.platform.invoker
      const run = runAttempt(
        { port: queue, invokerOf, check, clock, random, log, leaseMs, onChange: changed },
        held,
        ends,
      )
        .catch((error: unknown) => log.warn('A command broke off', { command: held.id, error: String(error) }))
        .finally(() => {
          running.delete(run)
          wake()
        })
      running.add(run)
      changed()
    }
  }
  const pauseMs = () => {
    if (!allowed()) return revokedMs
    if (running.size >= concurrency) return lookMs
    const next = queue.nextAt() ?? Number.POSITIVE_INFINITY
    return Math.min(
      running.size > 0 ? lookMs : queue.records.list().some(isOpen) ? tellMs : idleMs,
      Math.max(50, next - clock.now()),
    )
  }
  let toldAt = clock.now()
  const loop = async () => {
    let tidied = false
    while (!stopping.signal.aborted) {
      pause = new AbortController()
      let waitMs = brokenMs
      try {
        if (!tidied) tidyNonces(state, clock.now())
        tidied = true
        await begin()
        // What is here and not over keeps its lease by being told of.
        if (clock.now() - toldAt > tellMs && queue.records.list().some(isOpen)) {
          toldAt = clock.now()
          changed()
        }
        waitMs = pauseMs()
        problems.clear('COMMANDS_STOPPED')
      } catch (error) {
        problems.set('COMMANDS_STOPPED', `Commands can't be run: ${error instanceof Error ? error.message : error}`)
      }
      await clock.sleep(waitMs, AbortSignal.any([pause.signal, stopping.signal])).catch(() => {})
    }
  }
  const looping = loop()
  return {
    // What waits here already is begun first.
    room: () =>
      allowed() ? Math.max(0, Math.min(concurrency - queue.records.list().filter(isOpen).length, queue.room())) : 0,
    take: (orders) => {
      for (const order of orders) if (queue.room() > 0 || queue.records.get(order.id)) queue.add(order)
      if (orders.length > 0) wake()
    },
    cancel: (ids) => {
      for (const id of ids) queue.cancel(id)
      if (ids.length > 0) changed()
    },
    updates: () => updatesOf(queue.records),
    reported: (updates) => updatesTaken(queue.records, updates),
    accept: async (envelope) => {
      const accepted = await acceptSigned(parts, queue, envelope)
      wake()
      changed()
      return accepted
    },
    gates: createGateCommands(queue, clock, wake),
    stop: async () => {
      stopping.abort()
      await looping
      await Promise.all(running)
    },
  }
}
