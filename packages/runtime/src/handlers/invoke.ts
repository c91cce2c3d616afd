import { RuntimeError } from '../errors/runtime-error.ts'
import type { Invocation } from '../protocol.ts'
import type { EventContext } from './context.ts'
import { normalSchedule, type Registry } from './registry.ts'

/** Calls the handler of an invocation and gives its result, if it is a command. @throws what the handler throws, and RuntimeError */
export async function invoke(
  registry: Registry,
  invocation: Invocation,
  context: EventContext,
  write: (chunk: string) => Promise<void>,
): Promise<unknown> {
  switch (invocation.kind) {
    case 'queue': {
      const handler = registry.messages.get(invocation.queue)
      if (!handler) throw noHandler(`onMessage('${invocation.queue}', …)`)
      const { id, body, attempt, enqueuedAt, contentType } = invocation.message
      const bytes = new Uint8Array(Buffer.from(body, 'base64'))
      const text = () => new TextDecoder().decode(bytes)
      const json = <T>() => JSON.parse(text()) as T
      await handler({ id, attempt, contentType, bytes, text, json, enqueuedAt: new Date(enqueuedAt) }, context)
      return undefined
    }
    case 'cron': {
      const handler = registry.crons.get(normalSchedule(invocation.schedule))
      if (!handler) throw noHandler(`onCron('${invocation.schedule}', …)`)
      await handler({ schedule: invocation.schedule, scheduledAt: new Date(invocation.scheduledAt) }, context)
      return undefined
    }
    case 'storage': {
      const { storage, event, key, id, at } = invocation
      const all = registry.storages.get(storage)
      if (!all) throw noHandler(`onStorage('${storage}', …)`)
      for (const one of all) {
        if ((one.event ?? event) !== event || !key.startsWith(one.prefix ?? '')) continue
        await one.handler({ storage, event, key, id, at: new Date(at) }, context)
      }
      return undefined
    }
    case 'command': {
      const found = registry.commands.get(invocation.command)
      if (!found) throw noHandler(`command('${invocation.command}', …)`)
      const checked = await found.check(invocation.input)
      if ('problem' in checked) throw inputInvalid(invocation.command, checked.problem)
      const { id, attempt } = invocation
      return found.handler(checked.value, { ...context, id, attempt, write })
    }
  }
}

const noHandler = (call: string) =>
  new RuntimeError({
    code: 'E_NO_HANDLER',
    message: `The worker has no handler for this: ${call} was never called.`,
    hint: `Call ${call} where the worker's entry imports it, or take the trigger or command out of the stack.`,
  })

const inputInvalid = (command: string, problem: string) =>
  new RuntimeError({
    code: 'E_COMMAND_INPUT',
    message: `The input of the command "${command}" is not valid: ${problem}.`,
    hint: 'Correct the input and call the command again.',
  })
