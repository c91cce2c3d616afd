import type { Message } from '../bindings/queue.ts'
import type { Host } from '../host.ts'
import { guarded } from '../report.ts'
import type { Instance } from '../supervisor/instance.ts'
import type { VersionRunner } from '../supervisor/version-runner.ts'
import type { WorkerHost } from '../worker-host.ts'
import { backoffMs } from './backoff.ts'
import { invokeInstance } from './invoke.ts'

const redeliverBaseMs = 200

/**
 * Hands messages to consumers: to a version by the worker's shares, to an instance up to the trigger's concurrency. A
 * version without free consumers does not hold the others up.
 */
export class QueueDispatcher {
  readonly #host: Host
  /** Deliveries under way, by instance and queue. */
  readonly #busy = new Map<Instance, Map<string, number>>()
  #timer: NodeJS.Timeout | null = null
  #soon = false
  #stopped = false

  constructor(host: Host) {
    this.#host = host
  }

  /** Looks again for work; call it at every change, as often as you like. */
  wake(): void {
    if (this.#soon || this.#stopped) return
    this.#soon = true
    setImmediate(() => {
      this.#soon = false
      if (this.#stopped) return
      // Again after a while whatever happens here.
      this.#wakeIn(1_000)
      guarded('handing out messages', () => this.#pump())
    })
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  #pump(): void {
    const queues = new Set<string>()
    for (const worker of this.#host.workers.values()) {
      for (const queue of queuesOf(worker)) {
        queues.add(queue)
        while (this.#deliverOne(worker, queue)) {}
      }
    }
    // A queue's next message becomes visible then; a second at most, because waking is only a hint.
    const next = [...queues].map((queue) => this.#host.queue.nextVisible(queue) ?? Number.POSITIVE_INFINITY)
    this.#wakeIn(Math.min(1_000, ...next.map((at) => Math.max(10, at - Date.now()))))
  }

  #wakeIn(ms: number): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.wake(), ms).unref()
  }

  #deliverOne(worker: WorkerHost, queue: string): boolean {
    const spec = this.#host.store.resource(queue)?.spec
    if (spec?.type !== 'queue' || (this.#host.queue.nextVisible(queue) ?? Number.POSITIVE_INFINITY) > Date.now()) {
      return false
    }
    const runner = worker.consumers.pick((each) => this.#free(each, queue) !== null)?.runner
    const instance = runner && this.#free(runner, queue)
    if (!runner || !instance) return false
    const message = this.#host.queue.take(queue, spec.visibilityTimeoutMs)
    if (!message) return false
    this.#count(instance, queue, 1)
    const delivery = this.#deliver(runner, instance, queue, message, spec).finally(() => {
      this.#count(instance, queue, -1)
      this.wake()
    })
    this.#host.track(delivery)
    return true
  }

  async #deliver(
    runner: VersionRunner,
    instance: Instance,
    queue: string,
    message: Message,
    spec: { visibilityTimeoutMs: number; maxDeliveries: number },
  ): Promise<void> {
    const startedAt = performance.now()
    const result = await invokeInstance(
      instance,
      this.#host.tokens.of(runner.worker, runner.spec.id),
      {
        kind: 'queue',
        queue,
        message: {
          id: message.id,
          body: Buffer.from(message.body).toString('base64'),
          encoding: 'base64',
          contentType: message.type,
          attempt: message.attempt,
          enqueuedAt: message.enqueued,
        },
      },
      { signal: AbortSignal.timeout(Math.min(spec.visibilityTimeoutMs, runner.spec.timeoutMs)) },
    )
    runner.record({ error: !result.ok, ms: performance.now() - startedAt })
    if (result.ok) this.#host.queue.acknowledge(message.id)
    else {
      const wait = backoffMs(message.attempt, redeliverBaseMs, spec.visibilityTimeoutMs)
      this.#host.queue.reject(message, wait, spec.maxDeliveries, `${result.error.code}: ${result.error.message}`)
    }
  }

  /** The instance with the most room for this queue; null when all are at their concurrency. */
  #free(runner: VersionRunner, queue: string): Instance | null {
    const trigger = runner.spec.triggers.find((each) => each.kind === 'queue' && each.queue === queue)
    if (trigger?.kind !== 'queue') return null
    let best: Instance | null = null
    let least = trigger.concurrency
    for (const instance of runner.ready()) {
      const busy = this.#busy.get(instance)?.get(queue) ?? 0
      if (busy < least) {
        best = instance
        least = busy
      }
    }
    return best
  }

  #count(instance: Instance, queue: string, change: number): void {
    const queues = this.#busy.get(instance) ?? new Map<string, number>()
    const count = (queues.get(queue) ?? 0) + change
    if (count > 0) queues.set(queue, count)
    else queues.delete(queue)
    if (queues.size > 0) this.#busy.set(instance, queues)
    else this.#busy.delete(instance)
  }
}

function queuesOf(worker: WorkerHost): Set<string> {
  const queues = new Set<string>()
  for (const { spec } of worker.versions.values()) {
    for (const trigger of spec.triggers) if (trigger.kind === 'queue') queues.add(trigger.queue)
  }
  return queues
}
