import type { GateAnswer } from '@landfall/rollout'
import { durationMs } from '@landfall/stack'
import type { GateRunner } from '../ports/sources.ts'

export interface WebhookCall {
  gate: { url: string; timeout: string }
  id: string
  context: Parameters<GateRunner['ask']>[1]
  /** Version of the release that is judged. */
  release: string
  now: number
  fetch: typeof globalThis.fetch
  /** Ed25519, of whoever runs the deployment: a manager or an agent. `publicKey`: base64 of its SPKI. */
  signer: { publicKey: string; sign(message: Uint8Array): Promise<Uint8Array> }
}

/**
 * POSTs what is asked and takes `{ "status": "pass" | "fail" | "wait", "message"? }`. Signed with Ed25519 over
 * `<timestamp>.<body>`: `Landfall-Timestamp`, `Landfall-Signature` (base64) and `Landfall-Key` (the public key, base64 of its
 * SPKI; the same for a runner for ever, to be pinned by the receiver). No answer, and a 5xx, is no answer: wait.
 */
export async function askWebhook(call: WebhookCall): Promise<{ answer: GateAnswer; retryAfterMs: number | null }> {
  const { deployment, worker, rollout, version } = call.context
  const body = JSON.stringify({
    gate: call.id,
    project: deployment.project,
    deployment: { id: deployment.id, name: deployment.name },
    worker,
    rollout,
    version,
    release: call.release,
  })
  const timestamp = String(Math.floor(call.now / 1_000))
  try {
    const signature = await call.signer.sign(Buffer.from(`${timestamp}.${body}`))
    const response = await call.fetch(call.gate.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'landfall-timestamp': timestamp,
        'landfall-signature': Buffer.from(signature).toString('base64'),
        'landfall-key': call.signer.publicKey,
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(durationMs(call.gate.timeout)),
    })
    const retryAfterMs = waitOf(response.headers.get('retry-after'), call.now)
    const text = await readStart(response, 4_096)
    if (response.status >= 500 || [408, 425, 429].includes(response.status)) {
      return { answer: { status: 'wait', message: `The webhook answered ${response.status}` }, retryAfterMs }
    }
    if (!response.ok) {
      return { answer: { status: 'fail', message: `The webhook answered ${response.status}` }, retryAfterMs }
    }
    return { answer: answerOf(text), retryAfterMs }
  } catch {
    // The cause may hold the address, and an address may hold a token.
    return { answer: { status: 'wait', message: 'The webhook did not answer' }, retryAfterMs: null }
  }
}

function answerOf(text: string): GateAnswer {
  try {
    const parsed = JSON.parse(text) as { status?: unknown; message?: unknown }
    const { status } = parsed
    if (status === 'pass' || status === 'fail' || status === 'wait') {
      return { status, ...(typeof parsed.message === 'string' ? { message: parsed.message.slice(0, 500) } : {}) }
    }
  } catch {
    // Told below.
  }
  return { status: 'wait', message: 'The webhook answered without a status of pass, fail or wait' }
}

/** `Retry-After` (RFC 9110, 10.2.3): seconds or a date; null where there is none that can be read. */
function waitOf(header: string | null, now: number): number | null {
  if (header === null) return null
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}

/** The first bytes of a body: who answers may not fill the memory. */
async function readStart(response: Response, bytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    parts.push(part)
    size += part.byteLength
    if (size >= bytes) break
  }
  return Buffer.concat(parts).subarray(0, bytes).toString('utf8')
}
