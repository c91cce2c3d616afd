import type { Trigger } from '../manifest/resources.ts'
import { type Access, access } from './access.ts'
import type { BaseOptions, Definition, Duration } from './definition.ts'

export interface QueueOptions extends BaseOptions {
  /** A message that was not answered for this long is delivered again. Default 30 s. */
  visibilityTimeout?: Duration
  /** Deliveries until a message goes to the dead letters. Default 5. */
  maxDeliveries?: number
}

export interface QueueDefinition extends Definition<'queue'> {
  send(): Access
  /** Trigger: a message arrived. `concurrency`: how many one instance works on at a time. */
  messages(options?: { concurrency?: number }): Trigger
}

/** Messages up to 256 KiB, delivered at least once, in no order, with dead letters. */
export function queue(name: string, options: QueueOptions = {}): QueueDefinition {
  return {
    type: 'queue',
    name,
    mentions: [],
    compile: () => ({ type: 'queue', name, lifecycle: 'frozen', ...options }),
    send: () => access(name, 'send'),
    messages: ({ concurrency = 1 } = {}) => ({ kind: 'queue', queue: name, concurrency }),
  }
}
