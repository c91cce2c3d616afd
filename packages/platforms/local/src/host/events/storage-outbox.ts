import { randomUUID } from 'node:crypto'
import type { Outbox } from '../bindings/storage.ts'
import type { Host } from '../host.ts'
import type { EventDispatcher } from './event-dispatcher.ts'

/** An event for each worker that has asked for it, written in the transaction of the change itself. */
export function storageOutbox(host: Host, events: EventDispatcher): Outbox {
  return (storage, event, key, at) => {
    for (const worker of host.workers.values()) {
      const asks = [...worker.versions.values()].some(({ spec }) =>
        spec.triggers.some(
          (trigger) =>
            trigger.kind === 'storage' &&
            trigger.storage === storage &&
            trigger.events.includes(event) &&
            key.startsWith(trigger.prefix),
        ),
      )
      if (asks) events.add(worker.name, { kind: 'storage', storage, event, key, at, id: randomUUID() }, null)
    }
  }
}
