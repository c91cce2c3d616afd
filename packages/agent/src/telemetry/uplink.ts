import type { Signal } from '@landfall/telemetry'

/** The way to the manager's OTLP intake, by the agent's session. */
export interface Uplink {
  /**
   * Posts a body to `/v1/{signal}`. Throws where there is no connection, or no session yet.
   * @returns the status; what a Retry-After asked for, in milliseconds; whether it is surely the manager's own answer (a problem
   *   document), and not of something on the way
   */
  post(
    signal: Signal,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    abort: AbortSignal,
  ): Promise<{ status: number; retryAfterMs: number | null; own: boolean }>
}
