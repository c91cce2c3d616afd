import type { AuditHead, Report } from '@landfall/contract'
import { digestOf, LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import { beforeColumns, type Persisted, writeState } from '../../control/store/write-state.ts'
import type { Trx } from '../../store/database.ts'
import type { CommandHandover } from '../command-handover.ts'
import { notEnrolled } from '../refusals.ts'
import { entryOf } from './agent-link.ts'
import { readState } from './read-state.ts'
import { takeLinks } from './take-links.ts'

export interface Accepted extends Persisted {
  /** False: it is not newer than what is known, and changed nothing. */
  taken: boolean
  /** The first since the agent was enrolled: from now on it counts for rollouts. */
  first: boolean
  /** Highest number of a report that was taken, and where the copy of the agent's audit chain ends. */
  reported: number
  audit: AuditHead
}

/**
 * Takes in what an agent says, whatever road it came: its state becomes the deployment's, its audit links entries of the deployment's
 * chain, its answers, settings and command updates are kept. All of it or, where anything is wrong, nothing. A report that is not newer
 * than the last one changes nothing: it may come twice, late, or over two roads.
 *
 * After the commit: wake `changes` (and `commands`, where it tells of any; `rollouts`, where it is the first), and nudge the rollout that
 * is named.
 *
 * @throws LandfallError `E_AGENT_NOT_ENROLLED`, `E_REPORT_FOREIGN`, `E_REPORT_INVALID`, `E_AUDIT_GAP`, `E_AUDIT_BROKEN`
 */
export async function acceptReport(
  trx: Trx,
  of: { deployment: string; report: Report; via: 'sync' | 'export'; commands: CommandHandover; at: number },
): Promise<Accepted> {
  const { deployment, report, via, at } = of
  if (report.deployment !== deployment) throw foreign(deployment)
  const state = readState(report.state)
  const row = await trx
    .selectFrom('deployments')
    .innerJoin('agents', 'agents.deployment', 'deployments.id')
    .select(beforeColumns)
    .select(['deployments.name', 'agents.sign_key', 'agents.report_number', 'agents.audit_number', 'agents.audit_hash'])
    .where('deployments.id', '=', deployment)
    .forUpdate()
    .executeTakeFirst()
  if (!row?.sign_key) throw notEnrolled(row?.name ?? deployment)
  const known = { number: row.audit_number, hash: row.audit_hash }
  if (report.number <= row.report_number) {
    return { taken: false, first: false, reported: row.report_number, audit: known, nudge: null }
  }
  const { fresh, head } = takeLinks(report.audit, deployment, known)
  // Over sync it is seen now; what a person carried was seen when it was written down.
  const seen = new Date(via === 'sync' ? at : Math.max(0, Math.min(at, report.at)))
  const { nudge } = await writeState(trx, deployment, row, state, at, {
    // An agent can't have acted on what was never asked.
    observed_generation: sql`greatest(observed_generation, least(requested_generation, ${Math.max(0, report.observed)}::bigint))`,
    wake_at: null,
    last_seen_at: sql`greatest(last_seen_at, ${seen})`,
  })
  await trx
    .updateTable('agents')
    .set({
      report_number: report.number,
      last_report_at: seen,
      via,
      customer: JSON.stringify(report.customer),
      local: JSON.stringify(report.local),
      info: JSON.stringify(report.agent),
      audit_number: head.number,
      audit_hash: head.hash,
    })
    .where('deployment', '=', deployment)
    .execute()
  await keepAnswers(trx, deployment, report.answers)
  if (report.commands.length > 0) await of.commands.acceptUpdates(trx, { deployment, updates: report.commands, at })
  // Last, because the chain's head stays locked until the end.
  await appendAudit(
    trx,
    fresh.map((link) => entryOf(link, row.project)),
  )
  return { taken: true, first: row.report_number === 0, reported: report.number, audit: head, nudge }
}

/** Kept of an agent. */
const maxAnswers = 200

/** Given at the agent, by people there: kept under their content, so that each is here once. */
async function keepAnswers(trx: Trx, deployment: string, answers: Report['answers']): Promise<void> {
  if (answers.length === 0) return
  const values = answers.map(({ gate, target, status, by, message, at }) => ({
    deployment,
    id: `agent:${digestOf({ gate, target, status, by, at }).slice('sha256:'.length)}`,
    gate,
    target,
    status,
    by: `agent:${by}`,
    message: message ?? null,
    at: new Date(Math.min(Math.max(at, 0), 8.64e15)),
  }))
  const fresh = await trx
    .insertInto('answers')
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .execute()
  if (fresh.length === 0) return
  // An agent says at most its newest ones again: one that makes answers up must not fill the table.
  await sql`delete from answers where deployment = ${deployment} and id like 'agent:%' and id not in
    (select id from answers where deployment = ${deployment} and id like 'agent:%' order by at desc, id limit ${maxAnswers})`.execute(
    trx,
  )
}

function foreign(deployment: string): LandfallError {
  return new LandfallError({
    code: 'E_REPORT_FOREIGN',
    message: `The report is of another deployment than ${deployment}.`,
    hint: 'An agent reports of its own deployment alone. Check what was copied to where.',
  })
}
