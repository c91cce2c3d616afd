import type { DeploymentRef } from '../ports/desired.ts'
import type { CommandOutcome } from './command-state.ts'

/** A command that somebody runs now: its attempt, and the epoch that fences what he says of it. */
export interface HeldCommand {
  deployment: DeploymentRef
  id: string
  worker: string
  /** Version id it must go to; null: whatever the router serves. */
  version: string | null
  command: string
  input: unknown
  attempt: number
  /** Milliseconds since the epoch. */
  deadline: number
  epoch: number
  /** End of the lease as it was claimed; milliseconds since the epoch. */
  until: number
  cancelRequested: boolean
}

/** What an attempt tells its store. Each call is fenced by the epoch: of a command that is not ours any more it changes nothing. */
export interface CommandPort {
  /** Moves the lease's end. Answers whether it was still ours, and whether somebody asked to cancel. */
  renew(held: HeldCommand, until: number): Promise<{ ours: boolean; cancelled: boolean }>
  /** Ends it. False: not ours any more. */
  finish(held: HeldCommand, outcome: CommandOutcome, at: number): Promise<boolean>
  /** Gives it back for an attempt at `until`. False: not ours any more. */
  postpone(held: HeldCommand, until: number): Promise<boolean>
  /** What the attempts so far have written, this one included. `next` is the number that the next piece gets. */
  written(held: HeldCommand): Promise<{ next: number; chunks: number; bytes: number }>
  /** Stores a piece of output; the same number again changes nothing. False: not ours any more. */
  output(held: HeldCommand, piece: { number: number; at: number; chunk: string }): Promise<boolean>
}

/** A queue of commands. */
export interface CommandStore extends CommandPort {
  /** Takes one that is due, as its next attempt; null when none is. */
  claim(owner: string, ttlMs: number, now: number): Promise<HeldCommand | null>
}
