import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningPostgres, removePostgres, startPostgres } from '@landfall/postgres'
import pg from 'pg'
import { type OpenDatabase, openDatabase } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'

export interface TestServer {
  /** A new, empty database. */
  empty(): Promise<{ url: string }>
  /** A new database with the whole schema. Closed and dropped with the server. */
  database(): Promise<OpenDatabase & { url: string }>
  stop(): Promise<void>
}

/**
 * A real PostgreSQL for the tests of one file: start it in `beforeAll`, stop it in `afterAll`. With `LANDFALL_TEST_DATABASE_URL`
 * it makes its databases on that server instead. Schemas are copied from a template, so that a fresh database costs little.
 */
export async function startTestServer(): Promise<TestServer> {
  const given = process.env.LANDFALL_TEST_DATABASE_URL
  const directory = given ? null : await mkdtemp(join(tmpdir(), 'landfall-test-db-'))
  const server: Pick<RunningPostgres, 'url'> = directory ? await startPostgres({ directory }) : { url: given ?? '' }
  const made: string[] = []
  const open: OpenDatabase[] = []
  const admin = async (sql: string) => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
  const create = async (template?: string) => {
    const name = `landfall_test_${randomBytes(6).toString('hex')}`
    await admin(`create database ${name}${template ? ` template ${template}` : ''}`)
    made.push(name)
    const url = new URL(server.url)
    url.pathname = `/${name}`
    return { name, url: url.toString() }
  }
  let template: Promise<string> | null = null
  const migrated = async () => {
    const { name, url } = await create()
    const opened = openDatabase(url)
    await migrate(opened.pool)
    await opened.close()
    return name
  }
  return {
    empty: () => create(),
    database: async () => {
      template ??= migrated()
      const { url } = await create(await template)
      const opened = openDatabase(url)
      open.push(opened)
      return { ...opened, url }
    },
    stop: async () => {
      // A suite may have closed its own; closing twice is not an error worth a failed test.
      await Promise.allSettled(open.map((one) => one.close()))
      if (directory) {
        // Where the server runs as another user, its data lie elsewhere: only it knows where.
        await removePostgres(directory)
        return
      }
      for (const name of made) await admin(`drop database if exists ${name} with (force)`)
    },
  }
}
