import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../store/database.ts'
import { migrate, readMigrations } from '../store/migrate.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { fillOldData } from '../testing/old-data.ts'
import { createBackup } from './create-backup.ts'
import { restoreBackup } from './restore-backup.ts'

const secret = { kind: 'key' as const, key: Buffer.alloc(32, 5) }
let server: TestServer
let directory: string
beforeAll(async () => {
  server = await startTestServer()
  directory = mkdtempSync(join(tmpdir(), 'landfall-restore-'))
})
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Runs a restore in a process of its own, killed after that many tables; answers the tables it said. */
async function killedAfter(file: string, url: string, tables: number): Promise<string[]> {
  const script = new URL('../testing/restore-child.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, file, url, secret.key.toString('hex')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: string[] = []
  const closed = once(child, 'close')
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line)
    if (said.length === tables) child.kill('SIGKILL')
  }
  await closed
  return said
}

it('a restore that is killed anywhere leaves nothing or all of it, and begins anew', { timeout: 180_000 }, async () => {
  const { url } = await server.empty()
  const source = openDatabase(url)
  await migrate(
    source.pool,
    (await readMigrations()).filter(({ version }) => version <= 9),
  )
  await fillOldData(source.pool)
  await source.close()
  const file = join(directory, 'whole.lfbackup')
  const { tables } = await createBackup({
    databaseUrl: url,
    out: file,
    secret,
    masterKeyFile: null,
    telemetry: true,
    now: Date.now(),
  })
  const to = (await server.empty()).url
  const target = openDatabase(to)
  const found = async () => {
    const { rows } = await target.pool.query<{ n: number }>(
      `select count(*) as n from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    )
    return rows[0]?.n ?? -1
  }
  // The first, the last, and some in between; after the last come the migrations, what is settled, and the commit.
  const points = [1, Math.floor(tables.length / 3), Math.floor((2 * tables.length) / 3), tables.length]
  for (const point of points) {
    const said = await killedAfter(file, to, point)
    expect(said.length).toBeGreaterThanOrEqual(point)
    if ((await found()) === 0) continue
    // Only where the commit was already on its way; then all of it is there.
    expect(point).toBe(tables.length)
    await expect(
      restoreBackup({ file, databaseUrl: to, secret, masterKey: null, keepMasterKey: async () => {}, now: 1 }),
    ).rejects.toMatchObject({ code: 'E_RESTORE_NOT_EMPTY' })
    expect(await migrate(target.pool)).toBe(0)
    await target.close()
    return
  }
  const options = { file, databaseUrl: to, secret, masterKey: null, keepMasterKey: async () => {}, now: Date.now() }
  // Two at once: one takes it, the other is refused.
  const both = await Promise.allSettled([restoreBackup(options), restoreBackup(options)])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'E_RESTORE_NOT_EMPTY' } })
  expect(await migrate(target.pool)).toBe(0)
  const { rows } = await target.pool.query<{ n: number }>(
    `select count(*) as n from audit_entries where type = 'database.restored'`,
  )
  expect(rows[0]?.n).toBe(3)
  await target.close()
})
