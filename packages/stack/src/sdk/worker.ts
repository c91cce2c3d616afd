import { canonicalJson } from '../canonical/canonical.ts'
import type { Trigger } from '../manifest/resources.ts'
import { type Access, access } from './access.ts'
import { type CodeOptions, type ComputeOptions, compileCompute, mentionedSecrets } from './compute.ts'
import type { Definition, Duration } from './definition.ts'

export interface WorkerOptions extends ComputeOptions {
  /** What calls it, beside requests. */
  on?: readonly Trigger[]
  /** Longest time of one request or event. Default 30 s. */
  timeout?: Duration
}

export interface WorkerDefinition extends Definition<'worker'> {
  invoke(): Access
}

/** Code that answers requests, events and commands, and keeps nothing between them. */
export function worker(name: string, options: WorkerOptions & CodeOptions): WorkerDefinition {
  const { on = [], timeout, ...compute } = options
  return {
    type: 'worker',
    name,
    mentions: mentionedSecrets(options),
    compile: (context) => ({
      ...compileCompute('worker', name, compute, context),
      ...(timeout === undefined ? {} : { timeout }),
      // Sorted, so that the order they are written in does not change the digest.
      triggers: [...on].sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1)),
    }),
    invoke: () => access(name, 'invoke'),
  }
}
