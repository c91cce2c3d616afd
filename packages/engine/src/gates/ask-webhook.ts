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
export async function askWebhook(call: WebhookCall): Promise<GateAnswer> {
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
    const text = (await response.text()).slice(0, 4_096)
    if (response.status >= 500 || [408, 425, 429].includes(response.status)) {
      return { status: 'wait', message: `The webhook answered ${response.status}` }
    }
    if (!response.ok) return { status: 'fail', message: `The webhook answered ${response.status}` }
    return answerOf(text)
  } catch {
    // The cause may hold the address, and an address may hold a token.
    return { status: 'wait', message: 'The webhook did not answer' }
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
