import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../store/database.ts'
import { migrate, readMigrations } from '../store/migrate.ts'
import { startTestServer, type TestServer } from '../testing/database.ts'
import { fillOldData, oldMasterKey } from '../testing/old-data.ts'
import { backupInstallation, restoreInstallation } from './installation.ts'

const secret = { kind: 'key' as const, key: Buffer.alloc(32, 5) }
const now = Date.UTC(2026, 10, 21)
let server: TestServer
let directory: string
let url: string
beforeAll(async () => {
  server = await startTestServer()
  directory = mkdtempSync(join(tmpdir(), 'landfall-installation-'))
  url = (await server.empty()).url
  const source = openDatabase(url)
  await migrate(
    source.pool,
    (await readMigrations()).filter(({ version }) => version <= 9),
  )
  await fillOldData(source.pool)
  await source.close()
})
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

function place(name: string, masterKey: string | null): string {
  const dataDir = join(directory, name)
  mkdirSync(dataDir)
  if (masterKey !== null) writeFileSync(join(dataDir, 'master.key'), `${masterKey}\n`, { mode: 0o600 })
  return dataDir
}
async function take(name: string, includeMasterKey: boolean): Promise<string> {
  const out = join(directory, name)
  const of = { dataDir: join(directory, 'source'), databaseUrl: url, masterKeyFile: null, secret, now }
  await backupInstallation({ ...of, out, includeMasterKey, telemetry: false })
  return out
}
const restore = async (file: string, dataDir: string) =>
  restoreInstallation({ file, dataDir, databaseUrl: (await server.empty()).url, masterKeyFile: null, secret, now })

describe('the master key', () => {
  it('is in a backup only where that was asked for, and is then put in its place', async () => {
    place('source', oldMasterKey)
    const without = await take('without', false)
    const bare = join(directory, 'bare')
    expect(await restore(without, bare)).toMatchObject({ masterKey: false, opens: false, telemetry: false })
    expect(existsSync(join(bare, 'master.key'))).toBe(false)
    expect(await restore(without, place('ready', oldMasterKey))).toMatchObject({ masterKey: false, opens: true })

    const within = await take('within', true)
    const fresh = join(directory, 'fresh')
    expect(await restore(within, fresh)).toMatchObject({ masterKey: true, opens: true })
    const file = join(fresh, 'master.key')
    expect(readFileSync(file, 'utf8').trim()).toBe(oldMasterKey)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    // The same one is there already: as after a restore that was killed.
    expect(await restore(within, fresh)).toMatchObject({ opens: true })
  })

  it('of another installation is never written over, nor taken for the right one', async () => {
    const other = 'cd'.repeat(32)
    await expect(restore(join(directory, 'within'), place('other', other))).rejects.toMatchObject({
      code: 'E_RESTORE_NOT_EMPTY',
    })
    await expect(restore(join(directory, 'without'), place('another', other))).rejects.toMatchObject({
      code: 'E_MASTER_KEY_WRONG',
    })
    expect(readFileSync(join(directory, 'other', 'master.key'), 'utf8').trim()).toBe(other)
  })
})
