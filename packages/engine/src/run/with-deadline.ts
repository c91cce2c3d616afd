import { LandfallError } from '@landfall/stack'
import type { Clock } from '../ports/clock.ts'

/**
 * Runs `call` with a signal that aborts at the deadline or with one of `signals`, and does not wait longer than that: a call
 * that ignores its signal is left behind, which is safe because every call is idempotent by name or conditional.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signals: readonly AbortSignal[],
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController()
  const over = new AbortController()
  const signal = AbortSignal.any([own.signal, ...signals])
  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  aborted.catch(() => {})
  clock.sleep(ms, over.signal).then(
    () => own.abort(deadline(ms)),
    () => {},
  )
  try {
    return await Promise.race([call(signal), aborted])
  } finally {
    over.abort()
  }
}

function deadline(ms: number): LandfallError {
  return new LandfallError({
    code: 'E_STEP_DEADLINE',
    message: `A step took longer than ${ms} ms and was given up`,
    hint: 'It is tried again by itself. If it stays, look at the platform: it answers too slowly.',
    retryable: true,
  })
}
