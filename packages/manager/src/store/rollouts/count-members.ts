import type { MemberStatus } from '@landfall/rollout'
import { sql } from 'kysely'
import type { Database } from '../database.ts'

/** How many members of a rollout stand how in one of its waves. */
export interface MemberCount {
  rollout: string
  wave: number
  status: MemberStatus
  members: number
}

/** The members of rollouts by wave and status, of each rollout by its id. */
export async function countMembers(db: Database, rollouts: readonly string[]): Promise<Map<string, MemberCount[]>> {
  const counts = new Map<string, MemberCount[]>(rollouts.map((id) => [id, []]))
  if (rollouts.length === 0) return counts
  const { rows } = await sql<MemberCount>`
    select rollout, wave, status, count(*) as members from rollout_members
    where rollout = any(${[...rollouts]}::text[]) group by rollout, wave, status`.execute(db)
  for (const row of rows) counts.get(row.rollout)?.push(row)
  return counts
}
