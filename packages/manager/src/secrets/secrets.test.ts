import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { overtaken } from '../testing/overtaken.ts'
import { readMasterKey, readOrCreateMasterKey } from './key-file.ts'
import { localMasterKey } from './master-key.ts'
import { openKeyring, rotateMasterKey } from './open-keyring.ts'

let server: TestServer
let directory = ''
beforeAll(async () => {
  server = await startTestServer()
  directory = await mkdtemp(join(tmpdir(), 'landfall-keys-'))
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

const now = Date.parse('2026-11-21T12:00:00Z')
const master = localMasterKey(Buffer.alloc(32, 1))
const other = localMasterKey(Buffer.alloc(32, 2))
const broken = { code: 'E_SEAL_BROKEN' }

describe('the master key’s file', () => {
  it('is made once, for its owner alone, also by several starts at once', async () => {
    const file = join(directory, 'deep', 'master.key')
    const keys = await Promise.all(Array.from({ length: 5 }, () => readOrCreateMasterKey(file)))
    expect(new Set(keys.map((key) => key.id)).size).toBe(1)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await readMasterKey(file)).id).toBe(keys[0]?.id)
  })

  it('is refused when others can read it, when it is no key, and when it is not there', async () => {
    const file = join(directory, 'open.key')
    await writeFile(file, 'ab'.repeat(32), { mode: 0o644 })
    const refusal = await readMasterKey(file).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'E_MASTER_KEY_FILE' })
    expect(String(refusal)).not.toContain('abab')
    await chmod(file, 0o600)
    await expect(readMasterKey(file)).resolves.toBeDefined()
    await writeFile(file, 'short')
    await expect(readMasterKey(file)).rejects.toMatchObject({ code: 'E_MASTER_KEY_FILE' })
    await expect(readMasterKey(join(directory, 'none'))).rejects.toMatchObject({ code: 'E_MASTER_KEY_FILE' })
    expect(await readFile(file, 'utf8')).toBe('short')
  })
})

describe('the keyring', () => {
  it('opens what it sealed, also after a restart, and the same on every manager', async () => {
    const { db } = await server.database()
    const rings = await Promise.all(Array.from({ length: 4 }, () => openKeyring(db, master, now)))
    const sealed = rings[0]?.seal('hunter2', 'secret:a') ?? Buffer.alloc(0)
    for (const ring of [...rings, await openKeyring(db, master, now)]) {
      expect(ring.open(sealed, 'secret:a').toString()).toBe('hunter2')
      expect(ring.keyedHash('x', 'c')).toBe(rings[0]?.keyedHash('x', 'c'))
      expect(ring.derive('p')).toEqual(rings[0]?.derive('p'))
    }
    expect(await db.selectFrom('data_keys').selectAll().execute()).toHaveLength(2)
  })

  it('takes the keys that another manager is making', async () => {
    const { db } = await server.database()
    const elsewhere = await server.database()
    const made = await openKeyring(elsewhere.db, master, now)
    const rows = await elsewhere.db.selectFrom('data_keys').selectAll().execute()
    const late = await overtaken(
      db,
      async (trx) => {
        await sql`select pg_advisory_xact_lock(hashtext('landfall data keys'))`.execute(trx)
        await trx.insertInto('data_keys').values(rows).execute()
      },
      () => openKeyring(db, master, now),
    )
    expect(await db.selectFrom('data_keys').select('id').execute()).toHaveLength(rows.length)
    expect(late.open(made.seal('hunter2', 'secret:a'), 'secret:a').toString()).toBe('hunter2')
  })

  it('opens nothing in which one byte was changed, or that was moved to another row', async () => {
    const { db } = await server.database()
    const ring = await openKeyring(db, master, now)
    const sealed = ring.seal('hunter2', 'secret:a')
    expect(() => ring.open(sealed, 'secret:b')).toThrow(expect.objectContaining(broken))
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed[index] = (changed[index] ?? 0) ^ 1
      expect(() => ring.open(changed, 'secret:a'), String(index)).toThrow(expect.objectContaining(broken))
    }
    for (const length of [0, 24, 40, sealed.length - 1]) {
      expect(() => ring.open(sealed.subarray(0, length), 'secret:a')).toThrow(expect.objectContaining(broken))
    }
  })

  it('seals equal values differently and hashes them equally, in one context', async () => {
    const { db } = await server.database()
    const ring = await openKeyring(db, master, now)
    expect(ring.seal('a', 'c').equals(ring.seal('a', 'c'))).toBe(false)
    expect(ring.keyedHash('a', 'c')).toBe(ring.keyedHash('a', 'c'))
    expect(ring.keyedHash('a', 'c')).not.toBe(ring.keyedHash('a', 'd'))
    expect(ring.keyedHash('bc', 'a')).not.toBe(ring.keyedHash('c', 'ab'))
  })

  it('does not open with a wrong master key, and changes nothing then', async () => {
    const { db } = await server.database()
    await openKeyring(db, master, now)
    const before = await db.selectFrom('data_keys').selectAll().execute()
    await expect(openKeyring(db, other, now)).rejects.toMatchObject({ code: 'E_MASTER_KEY_WRONG' })
    // As with a key whose id was copied, but not the key.
    await expect(openKeyring(db, { ...other, id: master.id }, now)).rejects.toMatchObject({
      code: 'E_MASTER_KEY_WRONG',
    })
    expect(await db.selectFrom('data_keys').selectAll().execute()).toEqual(before)
  })

  it('is wrapped by another master key after a rotation, and opens what was sealed before', async () => {
    const { db } = await server.database()
    const ring = await openKeyring(db, master, now)
    const sealed = ring.seal('hunter2', 'secret:a')
    await expect(rotateMasterKey(db, other, master)).rejects.toMatchObject({ code: 'E_MASTER_KEY_WRONG' })
    expect(await rotateMasterKey(db, master, other)).toBe(2)
    await expect(openKeyring(db, master, now)).rejects.toMatchObject({ code: 'E_MASTER_KEY_WRONG' })
    const after = await openKeyring(db, other, now)
    expect(after.open(sealed, 'secret:a').toString()).toBe('hunter2')
    expect(after.derive('p')).toEqual(ring.derive('p'))
  })

  it('refuses a data key that was put in the place of another', async () => {
    const { db } = await server.database()
    await openKeyring(db, master, now)
    const [a, b] = await db.selectFrom('data_keys').selectAll().execute()
    if (!a || !b) throw new Error('two keys were made')
    await db.updateTable('data_keys').set({ wrapped: b.wrapped }).where('id', '=', a.id).execute()
    await expect(openKeyring(db, master, now)).rejects.toMatchObject({ code: 'E_MASTER_KEY_WRONG' })
  })
})
