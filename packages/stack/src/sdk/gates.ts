import type { z } from 'zod'
import type { approvalGate, commandGate, gate, jobGate, webhookGate, windowGate } from '../manifest/rollout-plan.ts'
import type { Duration } from './definition.ts'

export type GateInput = z.input<typeof gate>

/** Holds until a person of that side approves. */
export const approval = (options: { by?: 'vendor' | 'customer' } = {}): z.input<typeof approvalGate> => ({
  kind: 'approval',
  ...options,
})

/** Holds until a maintenance window of the customer is open. */
export const window = (): z.input<typeof windowGate> => ({ kind: 'window' })

/** Asks an HTTP endpoint: it passes with 2xx. */
export const webhook = (url: string, options: { timeout?: Duration } = {}): z.input<typeof webhookGate> => ({
  kind: 'webhook',
  url,
  ...options,
})

/** Calls a command of the candidate: it passes when the command succeeds. */
export const smoke = (
  command: string,
  options: { input?: unknown; timeout?: Duration } = {},
): z.input<typeof commandGate> => ({ kind: 'command', command, ...options })

/** Runs a worker of the stack once: it passes when it ends well. */
export const job = (
  worker: string | { readonly name: string },
  options: { timeout?: Duration } = {},
): z.input<typeof jobGate> => ({ kind: 'job', worker: typeof worker === 'string' ? worker : worker.name, ...options })
