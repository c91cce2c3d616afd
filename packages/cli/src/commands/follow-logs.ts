import { setTimeout as sleep } from 'node:timers/promises'
import type { logLine } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import type { ReadPage } from './logs.ts'

const pageSize = 500
const pauseMs = 700
const longestMs = 10_000

/**
 * Lines as they arrive, each once, until `signal` ends it, which is no error. A manager that is away for a while is waited for: what came
 * meanwhile is not missed, since the place to go on from is kept here. What will never pass (no such deployment, no right) is thrown.
 *
 * @param after where the page before ended
 */
export async function* followLogs(
  read: ReadPage,
  after: string | null,
  options: { signal: AbortSignal; onAway: () => void; random?: () => number },
): AsyncGenerator<z.output<typeof logLine>> {
  const { signal, onAway, random = Math.random } = options
  let cursor = after
  let failed = 0
  while (!signal.aborted) {
    let full = false
    try {
      const page = await read({ limit: pageSize, ...(cursor !== null && { after: cursor }) })
      cursor = page.next ?? cursor
      full = page.items.length === pageSize
      failed = 0
      yield* page.items
    } catch (error) {
      if (signal.aborted) return
      if (!mayPass(error)) throw error
      if (failed++ === 0) onAway()
    }
    if (full) continue
    const backoff = failed === 0 ? pauseMs : pauseMs + random() * Math.min(longestMs, pauseMs * 2 ** failed)
    await sleep(backoff, undefined, { signal }).catch(() => {})
  }
}

/** What is refused is refused again; a manager that restarts, or a network that is gone, comes back. */
function mayPass(error: unknown): boolean {
  return !LandfallError.is(error) || error.retryable || error.code === 'E_UNREACHABLE'
}
