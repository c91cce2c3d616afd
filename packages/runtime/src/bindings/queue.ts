import { RuntimeError } from '../errors/runtime-error.ts'
import type { BindingClient } from './binding-client.ts'

/** Longest message, in bytes. */
export const maxMessageBytes = 256 * 1024
/** Messages of a batch that are on their way at once. */
const batchWidth = 8

export type SendResult = { id: string } | { error: unknown }

export interface Queue {
  /** Bytes as they are, anything else as JSON. @throws RuntimeError `E_TOO_LARGE` (above 256 KiB) */
  send(body: unknown, options?: { contentType?: string }): Promise<{ id: string }>
  /** Sends each for itself: one result per message, in the same order. It does not throw for a message that was refused. */
  sendBatch(bodies: readonly unknown[], options?: { contentType?: string }): Promise<SendResult[]>
}

export function queueOf(client: BindingClient): Queue {
  const send: Queue['send'] = async (body, { contentType } = {}) => {
    const message = encodeMessage(body)
    const response = await client.request({
      method: 'POST',
      path: '/messages',
      headers: { 'content-type': contentType ?? message.type },
      body: message.body,
    })
    const answer: unknown = await response.json()
    const id: unknown = answer !== null && typeof answer === 'object' ? Reflect.get(answer, 'id') : undefined
    return { id: String(id) }
  }
  return {
    send,
    async sendBatch(bodies, options) {
      const results: SendResult[] = []
      let next = 0
      const sender = async () => {
        for (let i = next++; i < bodies.length; i = next++) {
          results[i] = await send(bodies[i], options).catch((error: unknown) => ({ error }))
        }
      }
      await Promise.all(Array.from({ length: Math.min(batchWidth, bodies.length) }, sender))
      return results
    },
  }
}

function encodeMessage(body: unknown): { body: Uint8Array<ArrayBuffer>; type: string } {
  const bytes = body instanceof Uint8Array ? new Uint8Array(body) : new TextEncoder().encode(jsonOf(body))
  if (bytes.byteLength <= maxMessageBytes) {
    return { body: bytes, type: body instanceof Uint8Array ? 'application/octet-stream' : 'application/json' }
  }
  throw new RuntimeError({
    code: 'E_TOO_LARGE',
    message: `The message has ${bytes.byteLength} bytes; a message has at most ${maxMessageBytes}.`,
    hint: 'Put large content into storage, and send its key.',
  })
}

function jsonOf(value: unknown): string {
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError('a message of undefined, a function or a symbol is not JSON')
  return json
}
