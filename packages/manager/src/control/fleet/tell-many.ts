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
  /** Its requested generation when it was looked at: one that was asked something else since is left for the next look. */
  seen?: number | undefined
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
  const given = {
    ids: orders.map((order) => order.deployment),
    targets: orders.map((order) => (order.target === null ? null : JSON.stringify(order.target))),
    seen: orders.map((order) => order.seen ?? null),
  }
  // Within brackets the planner does not see how many they are, and takes each by its key: for a part of a fleet it would read all of it.
  const written = await sql<{ id: string; generation: number }>`
    with free as materialized (
      select o.id, o.target
      from unnest((select ${given.ids}::text[]), (select ${given.targets}::jsonb[]), (select ${given.seen}::bigint[])) as o (id, target, seen)
      cross join lateral (select from deployments d
        where d.id = o.id and deleted_at is null and pinned is null and operation = 'run'
        and requested_generation = coalesce(o.seen, requested_generation)
        for update skip locked) d
    ), moved as (
      update deployments d
      set target = o.target, config = coalesce(o.target ->> 'config', d.config), rollout = ${rollout.id},
        requested_generation = d.requested_generation + 1
      from free o
      where d.id = o.id
      returning d.id, d.requested_generation as generation, o.target
    ), history as (
      insert into targets (deployment, generation, target, cause, told_at, told_by)
      select id, generation, target, ${cause}, ${new Date(at)}, 'fleet' from moved where target is not null
    )
    select id, generation from moved`.execute(trx)
  const generations = new Map(written.rows.map((row) => [row.id, row.generation]))
  const told = orders.filter((order) => generations.has(order.deployment))
  if (told.length === 0) return []
  await askRetries(trx, rollout.id, told, generations, at)
  await publishChanges(
    trx,
    told.map(({ deployment: id }) => ({ project: rollout.project, kind: 'deployment' as const, id, at })),
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
  return told.map((order) => order.deployment)
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
