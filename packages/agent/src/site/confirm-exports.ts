import { z } from 'zod'
import { confirmReceipts } from '../bundles/imported.ts'
import { enrolmentOf, putEnrolment } from '../identity/setup.ts'
import type { AgentParts } from '../parts.ts'
import { confirmRecords } from './export-records.ts'

type Parts = Pick<AgentParts, 'state' | 'audit' | 'spool' | 'setup' | 'clock' | 'commands'>

/**
 * Forgets what only those exports carried: telemetry, receipts, results. An export of any of them holds all that was open then, so the
 * newest that arrived says what is safe. The answer is how many payloads of telemetry went.
 *
 * @param by an order of the vendor, or a person who was told
 */
export function confirmExports(parts: Parts, through: number, by: string): { forgotten: number } {
  const { state, audit, spool, setup, clock, commands } = parts
  return state.transaction(() => {
    const arrived = confirmRecords(state, through)
    if (!arrived) return { forgotten: 0 }
    confirmReceipts(state, new Set(arrived.flatMap((record) => record.receipts)))
    for (const record of arrived) commands.reported(record.commands)
    // The spool has a file of its own: were this killed before the commit, less is sent twice, and nothing that did not arrive is lost.
    const forgotten = arrived.reduce((sum, record) => sum + spool.forgetThrough(record.spool, record.at), 0)
    audit.append(setup.deployment.id, [
      {
        at: clock.now(),
        type: 'export.confirmed',
        actor: by,
        message: `Export ${arrived.at(-1)?.sequence} arrived: ${forgotten} telemetry payloads are forgotten here`,
      },
    ])
    return { forgotten }
  })
}

/**
 * As an order in a bundle says it; an order that says nothing confirms nothing. It also says that the agent's keys are bound: the
 * vendor takes no export of an agent that it does not know.
 */
export function confirmedBy(parts: Parts, order: unknown): void {
  const said = z.object({ confirmed: z.number().int().min(1) }).safeParse(order)
  if (!said.success) return
  confirmExports(parts, said.data.confirmed, 'order')
  const enrolment = enrolmentOf(parts.state)
  if (enrolment?.token) putEnrolment(parts.state, { ...enrolment, token: null, enrolledAt: parts.clock.now() })
}
