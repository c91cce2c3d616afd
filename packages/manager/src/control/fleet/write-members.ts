import type { Member } from '@landfall/rollout'
import { sql } from 'kysely'
import type { Trx } from '../../store/database.ts'
import { columnsOf } from './member-row.ts'
import type { StoredReading } from './read-fleet.ts'

/** Rows in one statement: bounded memory. */
const rowsAtOnce = 10_000

/**
 * Stores the members that differ from what was read, in one statement for each ten thousand. With a target that was worked out in this
 * look goes what it was made of, so that the next look takes it as it is.
 */
export async function writeMembers(
  trx: Trx,
  rollout: string,
  reading: StoredReading,
  members: Readonly<Record<string, Member>>,
): Promise<void> {
  let rows: Row[] = []
  for (const member of Object.values(members)) {
    const same = reading.members[member.id] === member
    if (same && !reading.bases.has(member.id)) continue
    const row = rowOf(member, reading)
    if (same && row.basis === null) continue
    rows.push(row)
    if (rows.length < rowsAtOnce) continue
    await write(trx, rollout, rows)
    rows = []
  }
  if (rows.length > 0) await write(trx, rollout, rows)
}

type Row = ReturnType<typeof rowOf>

function rowOf(member: Member, { fresh, bases }: StoredReading) {
  const prepared = fresh.prepared.get(member.id)
  // While everybody goes back a member keeps the target it was told: what was made of newer inputs is not it.
  const target = prepared && 'target' in prepared && prepared.target.digest === member.target ? prepared.target : null
  const basis = target === null ? null : (bases.get(member.id) ?? null)
  return { deployment: member.id, ...columnsOf(member), config: target?.config ?? null, basis }
}

async function write(trx: Trx, rollout: string, rows: readonly Row[]): Promise<void> {
  await sql`
    insert into rollout_members as m (rollout, deployment, wave, status, since, origin, target, config, basis, reached, unsure,
      again, reason_code, reason_message)
    select ${rollout}, deployment, wave, status, since, origin, target, config, basis, reached, unsure, again, reason_code,
      reason_message
    from json_to_recordset(${JSON.stringify(rows)}::json) as given (deployment text, wave integer, status text, since bigint,
      origin text, target text, config text, basis text, reached boolean, unsure boolean, again boolean, reason_code text, reason_message text)
    on conflict (rollout, deployment) do update set wave = excluded.wave, status = excluded.status, since = excluded.since,
      origin = excluded.origin, target = excluded.target, reached = excluded.reached, unsure = excluded.unsure, again = excluded.again,
      reason_code = excluded.reason_code, reason_message = excluded.reason_message,
      -- What was not worked out anew is still what the stored target was made of, as long as it is the same target.
      config = coalesce(excluded.config, case when m.target = excluded.target then m.config end),
      basis = coalesce(excluded.basis, case when m.target = excluded.target then m.basis end)`.execute(trx)
}
