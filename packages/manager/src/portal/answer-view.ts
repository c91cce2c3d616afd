import type { storedAnswer } from '@landfall/contract'
import type { Selectable } from 'kysely'
import type { z } from 'zod'
import type { AnswersTable } from '../store/tables/deployments.ts'

/** An answer as the portal shows it. Those that a report brought carry who gave them as `agent:NAME`. */
export function storedAnswerView(row: Selectable<AnswersTable>): z.output<typeof storedAnswer> {
  const { gate, target, status, message, at } = row
  const atAgent = row.by.startsWith('agent:')
  return {
    gate,
    target,
    status,
    ...(message === null ? {} : { message }),
    by: atAgent ? row.by.slice('agent:'.length) : row.by,
    at: at.toISOString(),
    where: atAgent ? 'agent' : 'portal',
  }
}
