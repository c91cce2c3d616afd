import http from 'node:http'
import type { Invocation, InvocationLine } from '@landfall/runtime'
import { linesOf } from '../../shared/lines.ts'
import type { Instance } from '../supervisor/instance.ts'

export type InvokeResult = { ok: true; result: unknown } | { ok: false; error: { code: string; message: string } }

/**
 * Calls a worker's `/_landfall/invoke` and reads its NDJSON answer to the last line. Never rejects: a broken connection,
 * an answer without an end, or the signal's abort are errors of the invocation. While `onOutput` waits, so does the worker.
 */
export async function invokeInstance(
  instance: Instance,
  token: string,
  invocation: Invocation,
  options: { signal: AbortSignal; onOutput?: (chunk: string) => void | Promise<void> },
): Promise<InvokeResult> {
  const done = instance.begin()
  try {
    const response = await send(instance, token, invocation, options.signal)
    if (response.statusCode !== 200) {
      response.resume()
      return failed('E_INVOCATION_REFUSED', `The worker answered ${response.statusCode} to the invocation.`)
    }
    for await (const row of linesOf(response)) {
      if (row.trim() === '') continue
      const line = JSON.parse(row) as InvocationLine
      if ('output' in line) await options.onOutput?.(line.output)
      else if ('done' in line) return { ok: true, result: line.result ?? null }
      else return { ok: false, error: line.error }
    }
    return failed('E_INVOCATION_BROKEN', 'The worker ended the invocation without an answer.')
  } catch (error) {
    if (options.signal.aborted) return failed('E_DEADLINE', 'The invocation was not done within its time.')
    return failed('E_INVOCATION_BROKEN', `The connection to the worker broke: ${(error as Error).message}`)
  } finally {
    done()
  }
}

function failed(code: string, message: string): InvokeResult {
  return { ok: false, error: { code, message } }
}

function send(
  instance: Instance,
  token: string,
  invocation: Invocation,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const body = Buffer.from(JSON.stringify(invocation))
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1',
      port: instance.port,
      // A connection of its own: an invocation can't be repeated when a kept one turns out to be closed.
      agent: false,
      method: 'POST',
      path: '/_landfall/invoke',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': body.length,
      },
      signal,
    })
    request.once('response', resolve)
    // More than one can come, before the answer and while it is read; who reads it learns of it there.
    request.on('error', reject)
    request.once('upgrade', (_answer, socket) => socket.destroy())
    // A connection can also end without an answer and without an error.
    request.once('close', () => reject(new Error('closed without an answer')))
    request.end(body)
  })
}
