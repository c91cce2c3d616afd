import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { RuntimeError } from '../errors/runtime-error.ts'
import type { CaseContext } from './types.ts'

/** The promise must fail with this code. */
export async function refused(code: string, promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  assert.ok(error !== undefined, `it was allowed, but must be refused with ${code}`)
  assert.ok(RuntimeError.is(error), `it failed with ${String(error)}, but must be refused with ${code}`)
  assert.equal(error.code, code)
  assert.ok(error.hint.length > 0, 'a refusal says what to do')
}

/** Waits until it holds; 20 seconds at most. */
export async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await check())) {
    assert.ok(performance.now() < end, `within 20 s it did not come true: ${what}`)
    await sleep(50)
  }
}

/** Lets time pass on the platform. */
export const pass = (context: CaseContext, ms: number) => (context.pass ? context.pass(ms) : sleep(ms))

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** Texts that a careless encoding breaks. */
export const awkwardKeys = [
  'a/b',
  'a/../b',
  '../../etc/passwd',
  './x',
  '...',
  '/leading',
  'trailing/',
  'two//slashes',
  'with space',
  'plus+and%20percent%2F',
  '100%',
  'q?a=1&b=2#hash',
  'back\\slash',
  'quote"\'`',
  'colon:semi;comma,',
  'tab\tand\nnewline',
  'ünïcödé',
  'e\u0301 and \u00e9',
  '日本語',
  '👩‍🚀',
  'UPPER',
  'upper',
  'con',
  '.hidden',
  '~',
  '*',
  '__proto__',
  'constructor',
] as const

/** As text compares by its UTF-8 bytes. */
export const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
