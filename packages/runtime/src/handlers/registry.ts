import { RuntimeError } from '../errors/runtime-error.ts'
import type { CommandContext, CronEvent, EventContext, Message, StorageEvent } from './context.ts'
import type { Checker } from './schema.ts'

export type MessageHandler = (message: Message, context: EventContext) => unknown
export type CronHandler = (event: CronEvent, context: EventContext) => unknown
export type StorageHandler = (event: StorageEvent, context: EventContext) => unknown
export interface StorageSubscription {
  event?: 'created' | 'deleted'
  prefix?: string
  handler: StorageHandler
}
export interface RegisteredCommand {
  check: Checker
  handler: (input: unknown, context: CommandContext) => unknown
}

/** What the vendor's code has registered while it was imported. */
export class Registry {
  readonly messages = new Map<string, MessageHandler>()
  readonly crons = new Map<string, CronHandler>()
  readonly storages = new Map<string, StorageSubscription[]>()
  readonly commands = new Map<string, RegisteredCommand>()

  /** @throws RuntimeError `E_HANDLER_TWICE` */
  add<T>(map: Map<string, T>, what: string, name: string, handler: T): void {
    if (map.has(name)) {
      throw new RuntimeError({
        code: 'E_HANDLER_TWICE',
        message: `There are two handlers for the ${what} "${name}".`,
        hint: 'Register one handler, and call both functions in it.',
      })
    }
    map.set(name, handler)
  }
}

/** Spaces between the fields of a schedule carry no meaning. */
export const normalSchedule = (schedule: string) => schedule.trim().split(/\s+/).join(' ')
