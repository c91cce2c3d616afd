import { RuntimeError } from '../errors/runtime-error.ts'
import { traceHeaders } from '../telemetry/propagation.ts'

/** Another worker of the stack, through its router: its rollout applies to these requests too. */
export interface Worker {
  /** `path` begins with a slash. The `Authorization` header is Landfall's own; send yours under another name. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/** Longest wait without a signal of the caller: the longest request that a worker may have. */
const longestMs = 900_000

export function workerOf(label: string, url: string, token: string): Worker {
  const base = url.replace(/\/+$/, '')
  return {
    async fetch(path, init = {}) {
      if (!path.startsWith('/')) throw new TypeError('a path begins with a slash')
      const headers = new Headers(init.headers)
      for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value)
      headers.set('authorization', `Bearer ${token}`)
      const signal = init.signal ?? AbortSignal.timeout(longestMs)
      try {
        return await fetch(base + path, { ...init, headers, signal, redirect: init.redirect ?? 'manual' })
      } catch (cause) {
        signal.throwIfAborted()
        throw new RuntimeError({
          code: 'E_BINDING_UNAVAILABLE',
          message: `${label} could not be reached.`,
          hint: 'It is usually back within seconds: let the event fail so that it is delivered again, or answer 503.',
          retryable: true,
          cause,
        })
      }
    },
  }
}
