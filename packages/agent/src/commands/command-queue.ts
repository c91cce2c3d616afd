import type { CommandOrder } from '@landfall/contract'
import {
  type Clock,
  type CommandState,
  type CommandStore,
  commandState,
  type DeploymentRef,
  type HeldCommand,
} from '@landfall/engine'
import { sealTo } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { AuditEvent } from '../audit/agent-audit.ts'
import type { AgentState } from '../state/agent-state.ts'
import { type CommandRecord, isOpen, recordOf } from './command-record.ts'
import { Records } from './records.ts'
import { tidyRecords } from './tidy-records.ts'

/** Open ones and such whose end the manager has not taken, together. */
const maxRecords = 1_000

export interface CommandQueueOptions {
  state: AgentState
  clock: Pick<Clock, 'now'>
  deployment: () => DeploymentRef
  /** The manager's key that results and output are sealed to: SubjectPublicKeyInfo in base64. */
  replyKey: string
  /** Into the agent's audit, in the transaction of what it tells of. */
  note: (event: AuditEvent) => void
}

/** The agent's durable queue of commands, whichever road they came. Opening it is a take-over: what ran before is due again. */
export class CommandQueue implements CommandStore {
  readonly records: Records
  readonly #options: CommandQueueOptions

  constructor(options: CommandQueueOptions) {
    this.#options = options
    this.records = new Records(options.state)
    for (const record of this.records.list()) {
      if (record.state.owner === null) continue
      // An attempt was under way when the agent died: the worker may have begun.
      const state = { ...record.state, epoch: record.state.epoch + 1, owner: null, until: null }
      this.records.put({ ...record, state })
    }
  }

  /** How many more may come. */
  room(): number {
    return Math.max(0, maxRecords - this.records.list().filter((record) => !record.told).length)
  }

  /**
   * Takes a command over; durable when it returns. One that is known is not queued again: under a higher attempt it is told of under
   * that one, its end too, if it has come to one.
   *
   * @param also written in the same transaction
   * @throws LandfallError `E_COMMAND_QUEUE_FULL`
   */
  add(
    given: Omit<CommandOrder, 'attempt'> & { attempt?: number; origin?: CommandRecord['origin'] },
    also?: () => void,
  ): CommandRecord {
    const known = this.records.get(given.id)
    if (known) {
      const knownAs = Math.max(known.knownAs, given.attempt ?? 1)
      const record = knownAs === known.knownAs ? known : { ...known, knownAs, told: false }
      if (record !== known || also) this.records.put(record, also)
      return record
    }
    if (this.room() === 0) {
      throw new LandfallError({
        code: 'E_COMMAND_QUEUE_FULL',
        message: `This agent holds ${maxRecords} commands that are not over, or whose end was not handed over.`,
        hint: 'Let it sync, or carry an export to the vendor and import the next bundle: it says what has arrived.',
        retryable: true,
      })
    }
    const record = recordOf(given, this.#options.clock.now())
    this.records.put(record, () => {
      also?.()
      this.#note(record, 'command.queued', `Took command ${record.command} for ${record.worker}`)
    })
    return record
  }

  cancel(id: string): void {
    this.#move(id, (state, now) => commandState.cancelled(state, now))
  }

  /** Ends what is past its deadline, and forgets what is long over. Answers whether anything ended. */
  sweep(): boolean {
    const now = this.#options.clock.now()
    const ended = this.records.list().filter(({ id }) => this.#move(id, (state) => commandState.swept(state, now)))
    tidyRecords(this.records, now)
    return ended.length > 0
  }

  /** When something is to be looked at next, in milliseconds since the epoch; null: never by itself. */
  nextAt(): number | null {
    const times = this.records
      .list()
      .filter(isOpen)
      .map(({ state }) => (state.owner === null ? Math.min(state.until ?? 0, state.deadline) : (state.until ?? 0)))
    return times.length === 0 ? null : Math.min(...times)
  }

  async claim(owner: string, ttlMs: number, now: number): Promise<HeldCommand | null> {
    const due = this.records.list().find(({ state }) => commandState.isDue(state, now))
    const state = due && commandState.claimed(due.state, owner, ttlMs, now)
    if (!due || !state) return null
    this.records.put({ ...due, state, startedAt: due.startedAt ?? now })
    return {
      deployment: this.#options.deployment(),
      id: due.id,
      worker: due.worker,
      version: due.version,
      command: due.command,
      input: due.input,
      attempt: state.attempt,
      deadline: state.deadline,
      epoch: state.epoch,
      until: now + ttlMs,
      cancelRequested: state.cancelRequested,
    }
  }

  async renew(held: HeldCommand, until: number) {
    const record = this.records.get(held.id)
    const state = record && commandState.renewed(record.state, held.epoch, until)
    // A restart frees every lease, so where it ends need not outlive one.
    if (record && state) this.records.putVolatile({ ...record, state })
    return { ours: state != null, cancelled: state?.cancelRequested ?? false }
  }

  async finish(held: HeldCommand, outcome: Parameters<CommandStore['finish']>[1], at: number): Promise<boolean> {
    const { deployment, replyKey } = { deployment: this.#options.deployment().id, replyKey: this.#options.replyKey }
    const result =
      outcome.status === 'succeeded'
        ? sealTo(replyKey, JSON.stringify(outcome.result ?? null), `result:${deployment}:${held.id}`)
        : null
    return this.#move(held.id, (state) => commandState.finished(state, held.epoch, outcome, at), result)
  }

  async postpone(held: HeldCommand, until: number): Promise<boolean> {
    return this.#move(held.id, (state) => commandState.postponed(state, held.epoch, until))
  }

  async written(held: HeldCommand) {
    const { next, chunks, bytes } = this.records.get(held.id)?.output ?? { next: 1, chunks: 0, bytes: 0 }
    return { next, chunks, bytes }
  }

  async output(held: HeldCommand, piece: { number: number; at: number; chunk: string }): Promise<boolean> {
    const record = this.records.get(held.id)
    if (!record || !commandState.renewed(record.state, held.epoch, record.state.until ?? 0)) return false
    const { output } = record
    if (piece.number < output.next) return true
    const next = {
      ...output,
      next: piece.number + 1,
      chunks: output.chunks + 1,
      bytes: output.bytes + Buffer.byteLength(piece.chunk),
    }
    const context = `output:${this.#options.deployment().id}:${held.id}:${piece.number}`
    const chunk = sealTo(this.#options.replyKey, piece.chunk, context)
    this.records.put({ ...record, output: next }, () => this.records.putPiece(held.id, { ...piece, chunk }))
    return true
  }

  /** Carries out a change of state; false: there was none. */
  #move(id: string, change: (state: CommandState, now: number) => CommandState | null, result: string | null = null) {
    const record = this.records.get(id)
    const state = record && change(record.state, this.#options.clock.now())
    if (!record || !state) return false
    const { input, ...rest } = record
    if (!commandState.isOver(state.status)) {
      this.records.put({ ...rest, input, state })
      return true
    }
    const over = { ...rest, state, result }
    this.records.put(over, () =>
      this.#note(over, `command.${state.status}`, `Command ${record.command} ${state.status}`),
    )
    return true
  }

  #note(record: CommandRecord, type: string, message: string): void {
    const { id, worker, origin, state } = record
    this.#options.note({
      at: this.#options.clock.now(),
      type,
      actor: type === 'command.queued' ? (origin ? (origin.by ?? 'vendor, signed') : 'manager') : 'commands',
      message,
      code: state.error?.code,
      resource: worker,
      // Never the input: it may be secret.
      data: { command: id, attempt: state.attempt },
    })
  }
}
