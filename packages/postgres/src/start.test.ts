import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removePostgres } from './remove.ts'
import { startPostgres } from './start.ts'

let base: string

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'landfall-pg-'))
})
afterEach(async () => {
  await removePostgres(join(base, 'db'))
  await rm(base, { recursive: true, force: true })
})

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  await client.connect()
  try {
    return (await client.query(sql)).rows as unknown[]
  } finally {
    await client.end()
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('starts below a closed directory, keeps data and address over stop, kill and adoption, and leaves nothing', async () => {
  // As root this is the case that needs care: mkdtemp makes 0700, which the dropped user can't enter.
  await chmod(base, 0o700)
  const directory = join(base, 'db')
  const first = await startPostgres({ directory })
  expect(first.adopted).toBe(false)
  await query(first.url, 'create table kept (n int); insert into kept values (42)')
  expect(
    await query(first.url, "select current_setting('fsync') as fsync, current_setting('listen_addresses') as at"),
  ).toEqual([{ fsync: 'on', at: '127.0.0.1' }])
  expect((await stat(join(directory, 'password'))).mode & 0o777).toBe(0o600)

  const adopted = await startPostgres({ directory })
  expect(adopted).toMatchObject({ adopted: true, pid: first.pid, url: first.url })

  process.kill(first.pid, 'SIGKILL')
  while (alive(first.pid)) await sleep(10)
  const second = await startPostgres({ directory })
  expect(second).toMatchObject({ adopted: false, url: first.url })
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }])

  await second.stop()
  await second.stop()
  // It has ended; until we, its parent, have taken notice, its number is still there.
  await expect.poll(() => alive(second.pid)).toBe(false)

  const third = await startPostgres({ directory })
  expect(await query(third.url, 'select n from kept')).toEqual([{ n: 42 }])
  const data = await realpath(join(directory, 'data'))
  await removePostgres(directory)
  expect(alive(third.pid)).toBe(false)
  await expect(stat(directory)).rejects.toThrow('ENOENT')
  await expect(stat(data)).rejects.toThrow('ENOENT')
})

test('what a start left that was killed on the way is neither a password nor kept', async () => {
  const directory = join(base, 'db')
  await chmod(base, 0o755)
  await mkdir(join(directory, 'initdb-killed', 'data'), { recursive: true })
  await writeFile(join(directory, 'password'), '')
  const server = await startPostgres({ directory })
  expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }])
  expect((await readdir(directory)).filter((name) => name.startsWith('initdb-'))).toEqual([])
  expect((await stat(join(directory, 'password'))).mode & 0o777).toBe(0o600)
})

test('starts under a closed umask too', async () => {
  const before = process.umask(0o077)
  try {
    const server = await startPostgres({ directory: join(base, 'db') })
    expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }])
  } finally {
    process.umask(before)
  }
})

test('a wrong password is refused', async () => {
  const server = await startPostgres({ directory: join(base, 'db') })
  const url = new URL(server.url)
  url.password = 'wrong'
  await expect(query(url.href, 'select 1')).rejects.toThrow('password authentication failed')
})

test('two starters at once end with one server', async () => {
  const directory = join(base, 'db')
  const [a, b] = await Promise.all([startPostgres({ directory }), startPostgres({ directory })])
  expect(a.pid).toBe(b.pid)
  expect(a.url).toBe(b.url)
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'ppid=,args='])
  const data = await realpath(join(directory, 'data'))
  // A server's child carries its arguments until it has named itself.
  const servers = stdout
    .split('\n')
    .filter((line) => line.includes(`-D ${data}`) && Number.parseInt(line, 10) !== a.pid)
  expect(servers).toHaveLength(1)
})

test('a taken port is told with its reason', async () => {
  const other = await startPostgres({ directory: join(base, 'db') })
  const directory = join(base, 'second')
  await expect(startPostgres({ directory, port: other.port, timeoutMs: 30_000 })).rejects.toMatchObject({
    code: 'E_POSTGRES_START',
    message: expect.stringMatching(/Address already in use|could not bind|could not create any TCP/i),
  })
  expect(await readFile(join(directory, 'postgres.log'), 'utf8')).not.toBe('')
  await removePostgres(directory)
})
