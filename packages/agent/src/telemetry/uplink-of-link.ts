import type { ManagerLink } from '../sync/link.ts'
import type { Uplink } from './uplink.ts'

const timeoutMs = 20_000

/** The manager's OTLP intake, over the agent's session: through the same proxy and with the same authorities as sync. */
export function uplinkOf(link: ManagerLink): Uplink {
  return {
    post: (signal, body, headers, abort) =>
      link.withToken(async (token) => {
        const path = `/v1/${signal}`
        const call = { method: 'POST' as const, path, token, body, headers, timeoutMs, signal: abort }
        const answer = await link.transport.send(call)
        // Read to its end, so that the connection can be used again; an answer is a few bytes, a long one is not the manager's.
        let bytes = 0
        for await (const part of answer.body) {
          bytes += part.length
          if (bytes > 65_536) break
        }
        if (answer.status === 401) link.ended(token)
        const after = Number(answer.headers['retry-after'] ?? Number.NaN)
        return {
          status: answer.status,
          retryAfterMs: Number.isFinite(after) && after >= 0 ? after * 1_000 : null,
          own: String(answer.headers['content-type']).startsWith('application/problem+json'),
        }
      }),
  }
}
