import type { CommandContext } from './context.ts'
import { type CronHandler, type MessageHandler, normalSchedule, Registry, type StorageHandler } from './registry.ts'
import { type AnySchema, acceptAnything, checkerOf, type StandardSchema } from './schema.ts'

/** The registry of this process: handlers are registered by importing the code that calls these functions. */
export const registry = new Registry()

/** Handles the messages of a queue. The message is done when it returns; when it throws, it is delivered again. */
export function onMessage(queue: string, handler: MessageHandler): void {
  registry.add(registry.messages, 'queue', queue, handler)
}

/** Handles a schedule, written as in the worker's `on`. */
export function onCron(schedule: string, handler: CronHandler): void {
  registry.add(registry.crons, 'schedule', normalSchedule(schedule), handler)
}

/** Handles what is written to and deleted from a storage. */
export function onStorage(
  storage: string,
  filter: { event?: 'created' | 'deleted'; prefix?: string },
  handler: StorageHandler,
): void {
  const list = registry.storages.get(storage) ?? []
  list.push({ ...filter, handler })
  registry.storages.set(storage, list)
}

/** A command without a schema here: the platform has checked the input against the stack's. */
export function command<Output>(
  name: string,
  handler: (input: unknown, context: CommandContext) => Output | Promise<Output>,
): void
/** A command whose input is checked once more, and typed, by a schema of zod, valibot or arktype. */
export function command<Input, Output>(
  name: string,
  schemas: { input: StandardSchema<Input> },
  handler: (input: Input, context: CommandContext) => Output | Promise<Output>,
): void
/** A command whose input is checked once more by JSON Schema (2020-12). */
export function command<Output>(
  name: string,
  schemas: { input: Readonly<Record<string, unknown>> },
  handler: (input: unknown, context: CommandContext) => Output | Promise<Output>,
): void
export function command<Input>(
  name: string,
  second: { input: AnySchema<Input> } | ((input: Input, context: CommandContext) => unknown),
  third?: (input: Input, context: CommandContext) => unknown,
): void {
  const handler = typeof second === 'function' ? second : third
  if (!handler) throw new TypeError(`the command "${name}" has no handler`)
  const check = typeof second === 'function' ? acceptAnything : checkerOf(second.input)
  // What the checker lets through has the schema's type; without a schema, Input is unknown.
  registry.add(registry.commands, 'command', name, {
    check,
    handler: handler as (input: unknown, context: CommandContext) => unknown,
  })
}
