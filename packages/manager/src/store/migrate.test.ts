import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { openDatabase } from './database.ts'
import { migrate, readMigrations } from './migrate.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

async function fresh() {
  const { url } = await server.empty()
  return openDatabase(url)
}

describe('migrations', () => {
  it('run once on an empty database, and not again', async () => {
    await using database = disposable(await fresh())
    const all = await readMigrations()
    expect(await migrate(database.pool)).toBe(all.length)
    expect(await migrate(database.pool)).toBe(0)
    const { rows } = await database.pool.query('select version from schema_migrations order by version')
    expect(rows.map((row) => row.version)).toEqual(all.map((migration) => migration.version))
  })

  it('bring an older database on', async () => {
    await using database = disposable(await fresh())
    const all = await readMigrations()
    await migrate(database.pool, all.slice(0, 3))
    expect(await migrate(database.pool)).toBe(all.length - 3)
  })

  it('run once when several managers start together', async () => {
    const { url } = await server.empty()
    const managers = Array.from({ length: 4 }, () => openDatabase(url))
    const ran = await Promise.allSettled(managers.map((manager) => migrate(manager.pool)))
    expect(ran.filter(({ status }) => status === 'rejected')).toEqual([])
    const counts = ran.map((one) => (one.status === 'fulfilled' ? one.value : 0))
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe((await readMigrations()).length)
    await Promise.all(managers.map((manager) => manager.close()))
  })

  it('leave nothing of one that fails, and go on after it was mended', async () => {
    await using database = disposable(await fresh())
    const broken = { version: 1, name: 'broken', sql: 'create table half (id text); select nothing', checksum: 'a' }
    await expect(migrate(database.pool, [broken])).rejects.toThrow(/nothing/)
    expect(await migrate(database.pool, [{ ...broken, sql: 'create table half (id text)' }])).toBe(1)
  })

  it('refuse a newer schema and touch nothing', async () => {
    await using database = disposable(await fresh())
    const all = await readMigrations()
    await migrate(database.pool)
    await expect(migrate(database.pool, all.slice(0, -1))).rejects.toMatchObject({ code: 'E_SCHEMA_NEWER' })
  })

  it('refuse a migration that was changed after it ran', async () => {
    await using database = disposable(await fresh())
    const [first, ...rest] = await readMigrations()
    await migrate(database.pool)
    const changed = [{ ...first, version: 1, name: 'accounts', sql: 'select 1', checksum: 'other' }, ...rest]
    await expect(migrate(database.pool, changed)).rejects.toMatchObject({ code: 'E_SCHEMA_CHANGED' })
  })

  it('open and drop days of telemetry, from several managers at once', async () => {
    const database = await server.database()
    const open = (day: string) => database.pool.query('select open_telemetry_day($1)', [day])
    await Promise.all([open('2026-11-21'), open('2026-11-21'), open('2026-11-22')])
    const line = (at: string) =>
      database.db
        .insertInto('logs')
        .values({ deployment: 'dep_1', at: new Date(at), id: 'a', severity: 9, body: 'hello', attributes: '{}' })
        .execute()
    await line('2026-11-21T23:59:59.999Z')
    await line('2026-11-22T00:00:00Z')
    const { rows } = await database.pool.query<{ n: number }>('select drop_telemetry_before($1) as n', ['2026-11-22'])
    expect(rows[0]?.n).toBe(3)
    const left = await database.db.selectFrom('logs').select('at').execute()
    expect(left.map((row) => row.at.toISOString())).toEqual(['2026-11-22T00:00:00.000Z'])
  })
})

function disposable<T extends { close(): Promise<void> }>(database: T): T & AsyncDisposable {
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() })
}
