import type { Bindings } from '../bindings/connect.ts'
import type { Variables } from '../environment/environment.ts'

/** What the cases need to exist, by name. A platform makes these before the cases run. */
export const conformanceResources = {
  storage: 'files',
  kv: 'items',
  /** Visibility timeout as short as the platform allows (1 s on local), `maxDeliveries` 3. */
  queue: 'jobs',
  secret: 'key',
  /** Not used by any of the workers, so neither environment may have a binding for it. */
  ungranted: 'hidden',
} as const

export const conformanceMaxDeliveries = 3

/** A message as a consumer gets it. Exactly one of the two is called. */
export interface Delivery {
  id: string
  attempt: number
  body: Uint8Array
  contentType: string
  /** The handler was done. */
  ack(): Promise<void>
  /** The handler threw. */
  fail(): Promise<void>
}

export interface DeadLetter {
  id: string
  body: Uint8Array
}

/** A platform with the resources above, as two workers see it. */
export interface ConformanceEnvironment {
  /** `LANDFALL_BINDINGS` and `LANDFALL_TOKEN` of a worker that may read and write `files` and `items`, send to `jobs`, read `key`. */
  env: Variables
  /** The same of a worker that may only read `files` and `items`. */
  readOnlyEnv: Variables
  /** The value of `key`. */
  secretValue: string
  /** The messages of a queue, as its consumer gets them. It ends when `return` is called on it. */
  received(queue: string): AsyncIterableIterator<Delivery>
  deadLetters(queue: string): Promise<readonly DeadLetter[]>
  /** Makes that much time pass for the platform; left out: real time passes. */
  pass?(ms: number): Promise<void>
  close(): Promise<void>
}

export interface CaseContext extends ConformanceEnvironment {
  bindings: Bindings
  readOnly: Bindings
  /** A name that no other case uses. */
  unique(prefix: string): string
}

/** One promise of the bindings. It rejects when the platform does not keep it. */
export interface ConformanceCase {
  name: string
  run(context: CaseContext): Promise<void>
}
