import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { RuntimeError } from '../errors/runtime-error.ts'
import { invoke } from '../handlers/invoke.ts'
import type { Registry } from '../handlers/registry.ts'
import type { Invocation, InvocationLine } from '../protocol.ts'
import { log } from '../telemetry/log.ts'
import { recordInvocation } from '../telemetry/request-metrics.ts'
import { scopeName } from '../telemetry/telemetry.ts'
import type { InFlight } from './in-flight.ts'
import { nameOf, parseInvocation } from './parse-invocation.ts'
import { problem } from './problem.ts'
import { sendResponse } from './send-response.ts'
import { hashOf, type Settings } from './settings.ts'

/** A message of 256 KiB in base64, with room; the input of a command. */
const maxInvocationBytes = 1024 * 1024
/** Output of one command; what comes after it fails the command, so that a flood ends. */
const maxOutputBytes = 4 * 1024 * 1024
const maxLineLength = 64 * 1024

/** Answers `POST /_landfall/invoke`: events and commands, by the platform alone. Never throws. */
export async function handleInvoke(
  incoming: IncomingMessage,
  out: ServerResponse,
  registry: Registry,
  settings: Settings,
  inFlight: InFlight,
): Promise<void> {
  const { controller, end } = inFlight.begin()
  const gone = () => controller.abort(new Error('the platform has gone'))
  out.once('close', gone)
  try {
    const refusal = refuse(incoming, settings, inFlight)
    if (refusal) return await sendResponse(refusal, out, controller.signal, false)
    const invocation = parseInvocation(await readBody(incoming))
    if (!invocation) {
      const answer = problem(
        400,
        'E_BAD_REQUEST',
        'The invocation is not known.',
        'Upgrade the older of platform and runtime.',
      )
      return await sendResponse(answer, out, controller.signal, false)
    }
    out.writeHead(200, { 'content-type': 'application/x-ndjson' })
    out.flushHeaders()
    const parent = propagation.extract(context.active(), incoming.headers)
    const last = await context.with(parent, () => run(invocation, out, registry, settings, controller))
    out.end(`${JSON.stringify(last)}\n`)
  } catch {
    // Nothing ended the answer, which the platform counts as an error, and sends it again.
    out.destroy()
  } finally {
    out.off('close', gone)
    end()
  }
}

function refuse(incoming: IncomingMessage, settings: Settings, inFlight: InFlight): Response | undefined {
  const given = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? '')?.[1] ?? ''
  if (!timingSafeEqual(hashOf(given), settings.tokenHash)) {
    return problem(401, 'E_UNAUTHORIZED', 'The token is missing or wrong.', 'Only the platform may call this.', {
      connection: 'close',
    })
  }
  if (incoming.method !== 'POST')
    return problem(405, 'E_BAD_REQUEST', 'This takes POST.', 'Send POST.', { allow: 'POST' })
  if (inFlight.draining) {
    return problem(503, 'E_DRAINING', 'This process is ending.', 'Send it to another instance.', {
      connection: 'close',
    })
  }
  return undefined
}

/** Runs it within its deadline, and gives the last line of the answer. */
async function run(
  invocation: Invocation,
  out: ServerResponse,
  registry: Registry,
  settings: Settings,
  controller: AbortController,
): Promise<InvocationLine> {
  const started = performance.now()
  const deadline = invocation.kind === 'command' ? invocation.deadline : Date.now() + settings.timeoutMs
  const { signal } = controller
  // A timer can't wait longer than 2^31 ms; no deadline is as far away, and a wrong one must not fire at once.
  const timer = setTimeout(() => controller.abort(late()), Math.min(Math.max(0, deadline - Date.now()), 2 ** 31 - 1))
  const name = nameOf(invocation)
  const span = trace.getTracer(scopeName).startSpan(`${invocation.kind} ${name}`, {
    kind: SpanKind.CONSUMER,
    attributes: { 'landfall.invocation.kind': invocation.kind, 'landfall.invocation.name': name },
  })
  let failed: string | undefined
  try {
    return await context.with(trace.setSpan(context.active(), span), async () => {
      const work = invoke(registry, invocation, { signal, deadline }, writer(out, signal))
      const result = await Promise.race([work, rejectOnAbort(signal)])
      const done: InvocationLine = result === undefined ? { done: true } : { done: true, result: asJson(result) }
      return done
    })
  } catch (error) {
    failed = RuntimeError.is(error) ? error.code : 'E_UNHANDLED'
    const known = error instanceof Error ? error.message : String(error)
    log.error('An invocation failed', { kind: invocation.kind, name, error })
    span.recordException(error instanceof Error ? error : String(error))
    span.setStatus({ code: SpanStatusCode.ERROR })
    return { error: { code: failed, message: known.slice(0, 4096) } }
  } finally {
    clearTimeout(timer)
    span.end()
    const seconds = (performance.now() - started) / 1000
    recordInvocation(seconds, { kind: invocation.kind, name, ...(failed === undefined ? {} : { error: failed }) })
  }
}

function writer(out: ServerResponse, signal: AbortSignal): (chunk: string) => Promise<void> {
  let bytes = 0
  return async (chunk) => {
    signal.throwIfAborted()
    bytes += Buffer.byteLength(chunk)
    if (bytes > maxOutputBytes) throw tooMuchOutput()
    for (let at = 0; at < chunk.length; at += maxLineLength) {
      const line: InvocationLine = { output: chunk.slice(at, at + maxLineLength) }
      if (!out.write(`${JSON.stringify(line)}\n`)) await once(out, 'drain', { signal })
    }
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    const part = Buffer.from(chunk)
    bytes += part.byteLength
    if (bytes > maxInvocationBytes) throw new Error('the invocation is too large')
    chunks.push(part)
  }
  return Buffer.concat(chunks).toString()
}

/** A result is JSON; what is not fails the command, not the process. */
function asJson(result: unknown): unknown {
  const json = JSON.stringify(result)
  return json === undefined ? undefined : JSON.parse(json)
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

const late = () =>
  new RuntimeError({
    code: 'E_DEADLINE',
    message: 'It was not done before its deadline.',
    hint: 'Do less at a time, or raise the `timeout` of the worker or the `deadline` of the command.',
    retryable: true,
  })

const tooMuchOutput = () =>
  new RuntimeError({
    code: 'E_OUTPUT_LIMIT',
    message: `The command wrote more than ${maxOutputBytes} bytes of output.`,
    hint: 'Write large output into storage, and give its key as the result.',
  })
