import { connect } from '../bindings/connect.ts'
import { accessCases } from './access.ts'
import { kvCases } from './kv.ts'
import { queueCases } from './queue.ts'
import { storageCases } from './storage.ts'
import type { CaseContext, ConformanceCase, ConformanceEnvironment } from './types.ts'

export * from './types.ts'

export interface RunnableCase {
  name: string
  /** Rejects when the platform does not keep the promise. */
  run(): Promise<void>
}

/**
 * What every platform's bindings must keep, as cases for any test runner. The environment is made once, at the first case, and
 * cases may run in any order, but one at a time; `close` ends it.
 */
export function bindingConformance(makeEnvironment: () => Promise<ConformanceEnvironment>): {
  cases: RunnableCase[]
  close(): Promise<void>
} {
  let environment: Promise<ConformanceEnvironment> | undefined
  let count = 0
  // A run's own mark, so that a platform that keeps its data between runs is no different.
  const mark = Date.now().toString(36)
  const contextOf = async (): Promise<CaseContext> => {
    environment ??= makeEnvironment()
    const made = await environment
    return {
      env: made.env,
      readOnlyEnv: made.readOnlyEnv,
      secretValue: made.secretValue,
      received: (queue) => made.received(queue),
      deadLetters: (queue) => made.deadLetters(queue),
      close: () => made.close(),
      ...(made.pass ? { pass: (ms: number) => made.pass?.(ms) ?? Promise.resolve() } : {}),
      bindings: connect(made.env),
      readOnly: connect(made.readOnlyEnv),
      unique: (prefix) => `${prefix}-${mark}-${count++}`,
    }
  }
  const all: ConformanceCase[] = [...accessCases, ...storageCases, ...kvCases, ...queueCases]
  return {
    cases: all.map(({ name, run }) => ({ name, run: async () => run(await contextOf()) })),
    async close() {
      await (await environment)?.close()
    },
  }
}
