import { type CommandState, commandState } from '@landfall/engine'
import type { CommandRow, CommandTable } from './command-table.ts'
import type { Life, Scheduler } from './scheduler.ts'
import type { Site } from './site.ts'
import type { Truth } from './truth.ts'

export interface Call {
  id: string
  attempt: number
  deadline: number
}

/** What a worker did for one attempt: null while it works or where it never came to an end. */
type Attempts = Map<number, { answer: unknown }>

/** How long after access was revoked a call may still begin: as for everything else that a runner does. Milliseconds. */
const obeyedMs = 100_000

/** Checks what must hold of commands: at each call into a worker, and at each row that is written. */
export class CommandWatch {
  readonly #scheduler: Scheduler
  readonly #truth: Truth
  readonly #table: CommandTable
  readonly #fail: (invariant: string, message: string) => void
  readonly #attempts = new Map<string, Attempts>()
  readonly #keys = new Map<string, Set<string>>()
  /** Cancelled before anybody had taken them. */
  readonly #never = new Set<string>()

  constructor(deps: {
    scheduler: Scheduler
    truth: Truth
    table: CommandTable
    fail: (invariant: string, message: string) => void
  }) {
    this.#scheduler = deps.scheduler
    this.#truth = deps.truth
    this.#table = deps.table
    this.#fail = deps.fail
    deps.table.onPut = (before, after) => this.#put(before, after)
  }

  /** A key was sent, and this id was the answer. */
  sent(key: string, id: string): void {
    const ids = (this.#keys.get(key) ?? new Set()).add(id)
    this.#keys.set(key, ids)
    if (ids.size > 1) this.#fail('one key is one command', `${key} made ${[...ids].join(' and ')}`)
  }

  /** Somebody cancelled it; `before`: what it was then. */
  cancelled(row: CommandRow): void {
    if (row.state.status === 'queued' && row.via === 'direct') this.#never.add(`${row.deployment} ${row.id}`)
  }

  /** A call into a worker is sent. */
  began(site: Site, life: Life, call: Call): void {
    const { now } = this.#scheduler
    const name = `${site.id} ${call.id}`
    const who = `${name}, attempt ${call.attempt}, by ${life.name}`
    const attempts = this.#attempts.get(name) ?? new Map()
    this.#attempts.set(name, attempts)
    const carried = this.#table.find(site.id, call.id)?.via === 'bundle'
    if (carried && [...attempts.keys()].some((attempt) => attempt >= call.attempt))
      this.#fail('a signed command is not run again', who)
    if (attempts.has(call.attempt)) this.#fail('an attempt runs once', who)
    attempts.set(call.attempt, { answer: null })
    if (this.#never.has(name)) this.#fail('cancelled before its start it never runs', who)
    const since = this.#truth.revokedSince.get(site.id)
    if (since !== undefined && now - since > obeyedMs) this.#fail('revoked access is obeyed', `${who}: a command`)
    const state = this.#known(site, call.id)
    if (!state) this.#fail('only known commands run', who)
    if (!state || this.#truth.skewed) return
    if (commandState.isOver(state.status)) this.#fail('what is over runs no more', `${who}: it ${state.status}`)
    if (now >= state.deadline) this.#fail('deadlines are kept', `${who}: ${now - state.deadline} ms after it`)
    const until = state.owner === null ? null : (state.until ?? 0)
    const taken = until !== null && until > now && state.attempt !== call.attempt
    // An agent keeps what it renewed in memory alone.
    const ranOut = life.name.startsWith('manager') && until !== null && until <= now
    const why = taken ? `${state.owner} has attempt ${state.attempt}` : `${now - (until ?? 0)} ms after its end`
    if (taken || ranOut) this.#fail('no call begins under a lease that ran out', `${who}: ${why}`)
  }

  /** A worker came to its end: from here on the attempt has had its effect. */
  done(site: Site, call: Call, answer: unknown): void {
    this.#attempts.get(`${site.id} ${call.id}`)?.set(call.attempt, { answer })
  }

  /** What a command's queue says of it: the managers' of a pushed one, the agent's own elsewhere. */
  #known(site: Site, id: string): CommandState | null {
    const row = this.#table.find(site.id, id)
    const there = site.disk.values.get(`command/${id}`)
    if (there !== undefined) return (JSON.parse(there) as { state: CommandState }).state
    return row?.state ?? null
  }

  #put(before: CommandRow | undefined, after: CommandRow): void {
    const { deployment, id, state, result } = after
    const who = `${deployment} ${id}`
    if (before && commandState.isOver(before.state.status)) {
      const same = JSON.stringify([before.state, before.result]) === JSON.stringify([state, result])
      if (!same) this.#fail('what is over never changes', `${who}: ${before.state.status}, then ${state.status}`)
      return
    }
    if (before && (state.attempt < before.state.attempt || state.epoch < before.state.epoch))
      this.#fail('attempts only grow', `${who}: ${before.state.attempt}, then ${state.attempt}`)
    const { now } = this.#scheduler
    const wasHeld = before && before.state.owner !== null && (before.state.until ?? 0) > now
    const taken = before && state.epoch > before.state.epoch && state.owner !== null
    if (wasHeld && taken && !this.#truth.skewed)
      this.#fail('no attempt begins under the lease of another', `${who}: taken from ${before.state.owner}`)
    if (state.status === 'succeeded') this.#succeeded(who, after)
  }

  #succeeded(who: string, { state, result, via, deployment }: CommandRow): void {
    const said = result as { attempt?: number } | null
    const done = this.#attempts.get(who)?.get(said?.attempt ?? 0)
    if (JSON.stringify(done?.answer) !== JSON.stringify(result))
      this.#fail('a result is what the worker answered', `${who}: ${JSON.stringify(result)}`)
    const pushed = via === 'direct' && deployment.startsWith('push')
    if (pushed && said?.attempt !== state.attempt)
      this.#fail('only the current attempt ends it', `${who}: attempt ${said?.attempt} ended attempt ${state.attempt}`)
  }

  /** A command whose end nobody knows although everything has had time for it; null: there is none. */
  left(now: number): string | null {
    for (const { deployment, id, via, state } of this.#table.list()) {
      if (commandState.isOver(state.status)) continue
      // A signed one that never arrived before it expired: its site knows nothing of it.
      if (via === 'bundle' && state.deadline < now && !this.#attempts.has(`${deployment} ${id}`)) continue
      return `command ${id} of ${deployment} is ${state.status} (attempt ${state.attempt}, ${state.owner ?? 'nobody'}'s)`
    }
    return null
  }

  /** Each line of output is there once at most. */
  lastChecks(): void {
    for (const { deployment, id, output } of this.#table.list()) {
      const lines = output.flatMap(({ chunk }) => chunk.split('\n')).filter((line) => line.startsWith('line '))
      const twice = lines.find((line, index) => lines.indexOf(line) !== index)
      if (twice !== undefined) this.#fail('output is kept once', `${deployment} ${id}: ${twice}`)
    }
  }
}
