import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { LandfallError } from '@landfall/stack'
import { sql } from 'kysely'
import type { Database } from '../store/database.ts'
import { newId } from '../store/new-id.ts'
import type { Keyring } from './keyring.ts'
import { decrypt, encrypt, type MasterKey, wrongMasterKey } from './master-key.ts'

const idBytes = 24

/**
 * Opens the data keys of a database with the master key; makes them on a new one. Sealed values carry the id of their
 * data key.
 *
 * @throws LandfallError `E_MASTER_KEY_WRONG`; nothing is changed then
 */
export async function openKeyring(db: Database, master: MasterKey, now: number): Promise<Keyring> {
  const rows = await db.transaction().execute(async (trx) => {
    // Two managers that start on a new database at once must end up with the same keys.
    await sql`select pg_advisory_xact_lock(hashtext('landfall data keys'))`.execute(trx)
    const before = await trx.selectFrom('data_keys').selectAll().orderBy('created_at').orderBy('id').execute()
    if (before.length > 0) return before
    for (const purpose of ['seal', 'hash'] as const) {
      const id = newId('key')
      const wrapped = await master.wrap(randomBytes(32), wrapContext(id, purpose))
      await trx
        .insertInto('data_keys')
        .values({ id, purpose, wrapped, master_key: master.id, created_at: new Date(now) })
        .execute()
    }
    return trx.selectFrom('data_keys').selectAll().orderBy('created_at').orderBy('id').execute()
  })
  const keys = new Map<string, { purpose: string; key: KeyObject }>()
  for (const row of rows) {
    if (row.master_key !== master.id) throw wrongMasterKey(master.id)
    const key = createSecretKey(await master.unwrap(row.wrapped, wrapContext(row.id, row.purpose)))
    keys.set(row.id, { purpose: row.purpose, key })
  }
  const newest = (purpose: string) => {
    const found = [...keys].findLast(([, value]) => value.purpose === purpose)
    if (!found) throw wrongMasterKey(master.id)
    return { id: found[0], key: found[1].key }
  }
  const seal = newest('seal')
  // The first, for ever: a hash or a derived key that changed would make every config and signature another.
  const hash = [...keys.values()].find((value) => value.purpose === 'hash')?.key ?? newest('hash').key
  return {
    seal: (plain, context) =>
      Buffer.concat([Buffer.from(seal.id, 'latin1'), encrypt(seal.key, Buffer.from(plain), context)]),
    open(sealed, context) {
      const bytes = Buffer.from(sealed)
      const key = keys.get(bytes.subarray(0, idBytes).toString('latin1'))?.key
      try {
        if (key) return decrypt(key, bytes.subarray(idBytes), context)
      } catch {
        // Told below, without what failed: it may be an attack.
      }
      throw new LandfallError({
        code: 'E_SEAL_BROKEN',
        message: 'A sealed value does not open: it was changed, moved to another row, or sealed under another key.',
        hint: 'Set the value again. Find out who can write to the database beside the manager.',
      })
    },
    keyedHash: (value, context) =>
      createHmac('sha256', hash).update(`${context.length}:${context}`).update(value).digest('hex'),
    derive: (purpose) => Buffer.from(hkdfSync('sha256', hash, Buffer.alloc(0), `landfall ${purpose}`, 32)),
  }
}

function wrapContext(id: string, purpose: string): string {
  return `data-key:${id}:${purpose}`
}

/**
 * Wraps every data key anew under another master key, all in one transaction: afterwards the old key opens nothing.
 * Managers that run keep their open data keys; each needs the new key at its next start. Answers how many were wrapped.
 *
 * @throws LandfallError `E_MASTER_KEY_WRONG` when `from` is not the key in use
 */
export async function rotateMasterKey(db: Database, from: MasterKey, to: MasterKey): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx.selectFrom('data_keys').selectAll().forUpdate().execute()
    for (const row of rows) {
      if (row.master_key !== from.id) throw wrongMasterKey(from.id)
      const context = wrapContext(row.id, row.purpose)
      const wrapped = await to.wrap(await from.unwrap(row.wrapped, context), context)
      await trx.updateTable('data_keys').set({ wrapped, master_key: to.id }).where('id', '=', row.id).execute()
    }
    return rows.length
  })
}
