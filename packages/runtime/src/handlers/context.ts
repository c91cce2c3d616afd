/** What every handler of an event gets. */
export interface EventContext {
  /** Aborts at the deadline, when the platform gave up, and when the process ends. */
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  deadline: number
}

/** A message of a queue. It is delivered at least once: work that must not happen twice is keyed by `id`. */
export interface Message {
  id: string
  /** 1 at the first delivery. */
  attempt: number
  enqueuedAt: Date
  contentType: string
  bytes: Uint8Array
  text(): string
  json<T = unknown>(): T
}

export interface StorageEvent {
  storage: string
  event: 'created' | 'deleted'
  key: string
  at: Date
  /** The same for every delivery of the same event. */
  id: string
}

export interface CronEvent {
  schedule: string
  /** The instant it was due, which may be before now. */
  scheduledAt: Date
}

export interface CommandContext extends EventContext {
  /** The same for every attempt. */
  id: string
  attempt: number
  /** Streams output to whoever called. Resolves when there is room for more. */
  write(chunk: string): Promise<void>
}
