import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import type { Keyring } from '../../secrets/keyring.ts'
import type { Database } from '../../store/database.ts'
import { keptBox, makeBox, type Wanted } from './boxes.ts'

/** Read at once, and sealed at once: the latter are some 10 ms of the manager's one thread. */
const page = 500
const inOneGo = 50

type Missing = Wanted & { secret: Buffer }

/**
 * Seals the secrets in force to the keys of the enrolled agents, as far as no box is kept yet, so that an order finds them made. One pass
 * through all, in the order of their names: one that can't be sealed keeps no other from it. Several managers may do it at once: each
 * box opens, and the last one stays. Answers how many it sealed.
 *
 * @param pause awaited after every few: boxes are for later, and whoever calls now comes first
 */
export async function fillBoxes(db: Database, keyring: Keyring, pause: () => Promise<void>): Promise<number> {
  let sealed = 0
  for (let after = { deployment: '', name: '' }; ; ) {
    const missing = await readMissing(db, after)
    for (let from = 0; from < missing.length; from += inOneGo) {
      const some = missing.slice(from, from + inOneGo)
      const boxes = some.map((one) => ({ ...one, box: boxOf(keyring, one) }))
      sealed += await keepBoxes(db, boxes)
      await pause()
    }
    const last = missing.at(-1)
    if (!last || missing.length < page) return sealed
    after = { deployment: last.deployment, name: last.name }
  }
}

async function readMissing(db: Database, after: { deployment: string; name: string }): Promise<Missing[]> {
  const { rows } = await sql<Missing>`
    select s.deployment, s.name, s.version, s.sealed as secret, a.seal_key as key
    from agents a
    join deployments d on d.id = a.deployment and d.deleted_at is null
    join secrets s on s.deployment = a.deployment and s.removed_at is null
    left join sealed_boxes b on b.deployment = s.deployment and b.name = s.name and b.version = s.version
      and b.seal_key = a.seal_key
    where a.seal_key is not null and b.deployment is null
      and (s.deployment, s.name) > (${after.deployment}, ${after.name})
      and not exists (select from secrets n
        where n.deployment = s.deployment and n.name = s.name and n.version > s.version)
    order by s.deployment, s.name
    limit ${page}`.execute(db)
  return rows
}

/** Null where the secret does not open: whoever makes its order says so. */
function boxOf(keyring: Keyring, row: Missing): Buffer | null {
  try {
    return keptBox(keyring, makeBox(keyring, row.secret, row), row)
  } catch (error) {
    if (LandfallError.is(error, 'E_SEAL_BROKEN')) return null
    throw error
  }
}

/** Keeps those whose agent still has that key. One whose row is being changed now is left for the next pass. */
async function keepBoxes(db: Database, boxes: readonly (Wanted & { box: Buffer | null })[]): Promise<number> {
  const rows = boxes.flatMap(({ box, ...of }) => (box === null ? [] : [{ ...of, box: box.toString('hex') }]))
  if (rows.length === 0) return 0
  // Each statement takes the rows in one order, so that two managers never wait for each other.
  const kept = await sql`
    with bound as materialized (
      select deployment, seal_key from agents where deployment = any(${rows.map((row) => row.deployment)}::text[])
      order by deployment for share skip locked)
    insert into sealed_boxes (deployment, name, version, seal_key, sealed)
    select g.deployment, g.name, g.version, g.seal_key, decode(g.sealed, 'hex')
    from unnest(${rows.map((row) => row.deployment)}::text[], ${rows.map((row) => row.name)}::text[],
      ${rows.map((row) => row.version)}::int[], ${rows.map((row) => row.key)}::text[],
      ${rows.map((row) => row.box)}::text[]) as g (deployment, name, version, seal_key, sealed)
    join bound b on b.deployment = g.deployment and b.seal_key = g.seal_key
    order by g.deployment, g.name, g.version
    on conflict (deployment, name, version) do update set seal_key = excluded.seal_key, sealed = excluded.sealed`.execute(
    db,
  )
  return Number(kept.numAffectedRows ?? 0)
}
