import { problem } from '@landfall/contract'
import { LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import type { Answer, Call, Transport } from './transport.ts'

const problemBytes = 64 * 1024

/**
 * One call with a JSON answer, checked against the contract.
 *
 * @throws LandfallError `E_UNREACHABLE`, `E_UNEXPECTED_ANSWER`, or what the manager's problem document says
 */
export async function callJson<T extends z.ZodType>(
  transport: Transport,
  call: Call,
  answer: T,
  maxBytes: number,
): Promise<z.output<T>> {
  const response = await accepted(transport, call)
  const text = await readText(response, maxBytes)
  const parsed = answer.safeParse(json(text))
  if (parsed.success) return parsed.data
  throw unexpected('an answer that is not what the contract says')
}

/** An answer that is not a refusal. @throws LandfallError as `callJson` */
export async function accepted(transport: Transport, call: Call): Promise<Answer> {
  const response = await transport.send(call)
  if (response.status >= 200 && response.status < 300) return response
  throw refusal(response.status, json(await readText(response, problemBytes).catch(() => '')))
}

/** A refusal that is surely the manager's own: what lies on the way answers without a problem document. */
export class Refusal extends LandfallError {
  readonly status: number

  constructor(status: number, options: ConstructorParameters<typeof LandfallError>[0]) {
    super(options)
    this.status = status
  }
}

function refusal(status: number, body: unknown): LandfallError {
  const parsed = problem.safeParse(body)
  if (!parsed.success) return unexpected(`${status} without a problem document`)
  const { code, detail, hint } = parsed.data
  return new Refusal(status, {
    code,
    message: detail,
    hint,
    retryable: status >= 500 || status === 429 || status === 408,
  })
}

function unexpected(what: string): LandfallError {
  return new LandfallError({
    code: 'E_UNEXPECTED_ANSWER',
    message: `The manager answered with ${what}.`,
    hint: 'Something between the agent and the manager answered in its place, or their versions do not fit: check proxies and the address.',
    retryable: true,
  })
}

async function readText(response: Answer, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.length
    // Leaving the loop ends the connection, so that nobody makes the agent read for ever.
    if (length > maxBytes) throw unexpected(`more than ${maxBytes} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
