import type { Target } from '@landfall/engine'
import { sql } from 'kysely'
import type { Trx } from '../../store/database.ts'

/** Targets that deployments were told before, by `deployment digest`: where a return goes. One that is unknown is left out. */
export async function lookUpTargets(
  trx: Trx,
  wanted: readonly { deployment: string; digest: string }[],
): Promise<Map<string, Target>> {
  if (wanted.length === 0) return new Map()
  const { rows } = await sql<{ deployment: string; target: Target }>`
    select distinct on (w.deployment, w.digest) w.deployment, t.target
    from unnest(${wanted.map((one) => one.deployment)}::text[], ${wanted.map((one) => one.digest)}::text[]) as w(deployment, digest)
    join lateral (
      select target, generation from targets where deployment = w.deployment and target ->> 'digest' = w.digest
      union all
      select state -> 'stable', 0 from deployments where id = w.deployment and state -> 'stable' ->> 'digest' = w.digest
    ) t on true
    order by w.deployment, w.digest, t.generation desc`.execute(trx)
  return new Map(rows.map(({ deployment, target }) => [`${deployment} ${target.digest}`, target]))
}
