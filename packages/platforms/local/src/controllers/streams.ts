import type { DeploymentRef, Invoker } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import type { LogLine } from '../shared/control.ts'
import { linesOf } from '../shared/lines.ts'
import { timeLeft } from '../shared/time-left.ts'
import type { HostClient } from './host-client.ts'

type Line = { output: string } | { ok: true; result: unknown } | { ok: false; error: { code: string; message: string } }

/** Runs commands in workers. Goes to the version that triggers point at (stable) unless one is named. */
export function createInvoker(clientOf: (deployment: DeploymentRef) => HostClient): Invoker {
  return {
    async invoke({ deployment, worker, version, signal }, call, onOutput) {
      const deadline = AbortSignal.timeout(timeLeft(call.deadline, Date.now()))
      try {
        const response = await clientOf(deployment).open({
          method: 'POST',
          path: `/v1/workers/${worker}/invoke`,
          json: { version: version ?? null, call },
          signal: AbortSignal.any([signal, deadline]),
        })
        for await (const row of linesOf(response)) {
          const line = JSON.parse(row) as Line
          if ('output' in line) onOutput(line.output)
          else return line.ok ? { ok: true, output: line.result } : line
        }
        return { ok: false, error: { code: 'E_INVOCATION_BROKEN', message: 'The host ended before the command did.' } }
      } catch (error) {
        if (signal.aborted) return { ok: false, error: { code: 'E_CANCELLED', message: 'The command was cancelled.' } }
        if (deadline.aborted) {
          return { ok: false, error: { code: 'E_DEADLINE', message: 'The command was not done by its deadline.' } }
        }
        if (LandfallError.is(error)) return { ok: false, error: { code: error.code, message: error.message } }
        const message = `The host broke the connection: ${(error as Error).message}.`
        return { ok: false, error: { code: 'E_INVOCATION_BROKEN', message } }
      }
    },
  }
}

/** Lines of a worker from `since` (milliseconds since the epoch) on; with `follow`, goes on until the signal. */
export async function* readLogs(
  client: HostClient,
  options: { worker: string; since?: number; follow?: boolean; signal: AbortSignal },
): AsyncGenerator<LogLine> {
  const query = `since=${options.since ?? 0}&follow=${options.follow ? 1 : 0}`
  const path = `/v1/workers/${options.worker}/logs?${query}`
  try {
    const response = await client.open({ method: 'GET', path, signal: options.signal })
    for await (const row of linesOf(response)) yield JSON.parse(row) as LogLine
  } catch (error) {
    if (!options.signal.aborted) throw error
  }
}
