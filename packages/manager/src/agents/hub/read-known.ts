import type { AuditHead, SyncAnswer } from '@landfall/contract'
import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'

/** What the database says of an agent, as far as a sync needs it. */
export interface Known {
  deployment: string
  project: string
  session: number
  generation: number
  keyset: number
  reported: number
  audit: AuditHead
  checkpoint: SyncAnswer['checkpoint']
}

interface Row {
  deployment: string
  project: string
  session: number
  generation: number
  keyset: number
  reported: number
  audit_number: number
  audit_hash: string
  number: number | null
  hash: string | null
  at: Date | null
  signature: string | null
}

/** Of many at once, in one query. Deployments that are gone are left out. */
export async function readKnown(db: Database, deployments: readonly string[]): Promise<Map<string, Known>> {
  if (deployments.length === 0) return new Map()
  const { rows } = await sql<Row>`
    select a.deployment, d.project, a.session, d.requested_generation as generation, p.keyset_version as keyset,
      a.report_number as reported, a.audit_number, a.audit_hash, c.number, c.hash, c.at, c.signature
    from agents a
    join deployments d on d.id = a.deployment
    join projects p on p.name = d.project
    left join lateral (select number, hash, at, signature from audit_checkpoints
      where chain = a.deployment order by number desc limit 1) c on true
    where a.deployment = any(${[...deployments]}::text[]) and d.deleted_at is null`.execute(db)
  return new Map(rows.map((row) => [row.deployment, knownOf(row)]))
}

function knownOf(row: Row): Known {
  const { deployment, project, session, generation, keyset, reported, number, hash, at, signature } = row
  const marked = number !== null && hash !== null && at !== null && signature !== null
  return {
    deployment,
    project,
    session,
    generation,
    keyset,
    reported,
    audit: { number: row.audit_number, hash: row.audit_hash },
    checkpoint: marked ? { number, hash, at: at.toISOString(), signature } : null,
  }
}

/**
 * Generations that agents have not acted on yet: of all deployments with an agent, whoever they are connected to. Costs what is behind,
 * not what exists (the index `deployments_behind`).
 */
export async function readBehind(db: Database): Promise<Map<string, number>> {
  const { rows } = await sql<{ id: string; generation: number }>`
    select d.id, d.requested_generation as generation from deployments d join agents a on a.deployment = d.id
    where d.requested_generation > d.observed_generation and d.deleted_at is null`.execute(db)
  return new Map(rows.map(({ id, generation }) => [id, generation]))
}
