import type { Target } from '@landfall/engine'
import { sql } from 'kysely'
import { appendAudit } from '../../audit/append-audit.ts'
import { publishChanges } from '../../changes/publish-changes.ts'
import type { Trx } from '../../store/database.ts'

/** One deployment's order. `retry`: the engine remembers that this target went back, and is to try it once more. */
export interface Order {
  deployment: string
  target: Target | null
  message: string
  retry: boolean
}

/**
 * Tells many deployments what to run, in a fixed number of statements: target, generation, history, audit, change. Those whose
 * row somebody else has locked now are left for the next look, so that the controller never waits while it holds the rollout.
 * Answers whom it told.
 */
export async function tellMany(
  trx: Trx,
  rollout: { id: string; project: string },
  cause: 'rollout' | 'return',
  orders: readonly Order[],
  at: number,
): Promise<string[]> {
  if (orders.length === 0) return []
  const free = await sql<{ id: string }>`
    select id from deployments where id = any(${orders.map((order) => order.deployment)}::text[])
      and deleted_at is null and pinned is null and operation = 'run'
    order by id for update skip locked`.execute(trx)
  const tellable = new Set(free.rows.map((row) => row.id))
  const told = orders.filter((order) => tellable.has(order.deployment))
  if (told.length === 0) return []
  const ids = told.map((order) => order.deployment)
  const targets = told.map((order) => (order.target === null ? null : JSON.stringify(order.target)))
  const written = await sql<{ id: string; generation: number }>`
    update deployments d
    set target = o.target::jsonb, config = coalesce(o.target::jsonb ->> 'config', d.config), rollout = ${rollout.id},
      requested_generation = d.requested_generation + 1
    from unnest(${ids}::text[], ${targets}::text[]) as o(id, target)
    where d.id = o.id
    returning d.id, d.requested_generation as generation`.execute(trx)
  const generations = new Map(written.rows.map((row) => [row.id, row.generation]))
  await noteHistory(trx, cause, told, generations, at)
  await askRetries(trx, rollout.id, told, generations, at)
  await publishChanges(
    trx,
    ids.map((id) => ({ project: rollout.project, kind: 'deployment' as const, id, at })),
  )
  await appendAudit(
    trx,
    told.map(({ deployment, target, message }) => ({
      project: rollout.project,
      deployment,
      type: 'deployment.told',
      actor: 'fleet',
      message,
      data: { target, cause, rollout: rollout.id },
      at,
    })),
  )
  return ids
}

async function noteHistory(
  trx: Trx,
  cause: string,
  told: readonly Order[],
  generations: ReadonlyMap<string, number>,
  at: number,
): Promise<void> {
  const rows = told.flatMap(({ deployment, target }) =>
    target === null ? [] : [{ deployment, target, generation: generations.get(deployment) ?? 0 }],
  )
  if (rows.length === 0) return
  await sql`insert into targets (deployment, generation, target, cause, told_at, told_by)
    select deployment, generation, target, ${cause}, ${new Date(at)}, 'fleet'
    from json_to_recordset(${JSON.stringify(rows)}::json) as given (deployment text, generation bigint, target jsonb)`.execute(
    trx,
  )
}

async function askRetries(
  trx: Trx,
  rollout: string,
  told: readonly Order[],
  generations: ReadonlyMap<string, number>,
  at: number,
): Promise<void> {
  const rows = told
    .filter((order) => order.retry)
    .map(({ deployment }) => ({ deployment, id: `${rollout}:${generations.get(deployment) ?? 0}` }))
  if (rows.length === 0) return
  await sql`insert into controls (deployment, id, kind, by, reason, at)
    select deployment, id, 'retry', 'fleet', 'The rollout tries it once more', ${new Date(at)}
    from json_to_recordset(${JSON.stringify(rows)}::json) as given (deployment text, id text)`.execute(trx)
}
