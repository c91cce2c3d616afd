import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LandfallError } from '@landfall/stack'
import { type Binaries, locateBinaries } from './binaries.ts'
import { initialize, superuser } from './initialize.ts'
import { withLock } from './lock.ts'
import { clusterParent, linkData, places } from './places.ts'
import { type Postmaster, runningPostmaster } from './postmaster.ts'
import { stopPostmaster } from './stop.ts'
import { type ServerUser, serverUser } from './user.ts'

export interface RunningPostgres {
  /** `postgresql://user:password@127.0.0.1:port/postgres`. Holds the password: never log it. */
  url: string
  port: number
  /** Process id of the server. */
  pid: number
  /** Whether it ran already and was taken over. */
  adopted: boolean
  /** Ends the server, with its connections; resolves when it is gone. Idempotent. */
  stop(): Promise<void>
}

const maxLogBytes = 10_000_000

/**
 * Starts a PostgreSQL on 127.0.0.1 with its data below `directory`, or takes over the one that an earlier, killed process
 * left running there. The server is detached: it outlives the caller unless `stop` is called. Durable as PostgreSQL is
 * by default. As root it runs as `postgres` or `nobody`.
 *
 * @param options.port asked port; without it the one used before, else a free one.
 * @param options.timeoutMs for the whole start, 60 s by default.
 * @throws LandfallError `E_POSTGRES_START`, `E_POSTGRES_BINARIES`, `E_POSTGRES_USER`
 */
export async function startPostgres(options: {
  directory: string
  port?: number
  timeoutMs?: number
}): Promise<RunningPostgres> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000)
  await mkdir(options.directory, { recursive: true, mode: 0o711 })
  const directory = await realpath(options.directory)
  const files = places(directory)
  const user = await serverUser(files.data)
  const parent = await clusterParent(directory, user)
  const data = join(parent, 'data')
  const { before, server } = await withLock(files.lock, deadline, async () => {
    for (;;) {
      const before = await runningPostmaster(data)
      if (!before) {
        const binaries = await locateBinaries(user)
        await initialize(directory, parent, binaries, user)
        await linkData(directory, parent)
        await launch({ directory, data, binaries, user, port: options.port, deadline })
      }
      const server = await untilReady(data, deadline)
      if (server) return { before, server }
    }
  })
  const password = await readFile(files.password, 'utf8')
  return {
    url: `postgresql://${superuser}:${password}@127.0.0.1:${server.port}/postgres`,
    port: server.port,
    pid: server.pid,
    adopted: before?.pid === server.pid,
    stop: () => stopPostmaster(data, server.pid),
  }
}

interface Launch {
  directory: string
  data: string
  binaries: Binaries
  user: ServerUser | null
  port: number | undefined
  deadline: number
}

/** Starts the server and sees it alive; tries again while the leftovers of a killed one are still ending, or a port was lost. */
async function launch(options: Launch): Promise<void> {
  const { directory, data, deadline } = options
  const files = places(directory)
  for (let attempt = 0; ; attempt++) {
    const saved = Number(await readFile(files.port, 'utf8').catch(() => '0'))
    const port = options.port ?? (saved > 0 && attempt < 2 ? saved : await freePort())
    await rotateLog(files.log)
    const child = await spawnServer(options, port, files.log)
    const ended = await endedOrReady(child, data, deadline)
    if (!ended) {
      await writeFile(files.port, String(port))
      return
    }
    const tail = (await readFile(files.log, 'utf8').catch(() => '')).trim().split('\n').slice(-3).join(' ')
    const portTaken = options.port !== undefined && tail.includes('TCP/IP')
    if (portTaken || attempt >= 4 || Date.now() > deadline) {
      throw new LandfallError({
        code: 'E_POSTGRES_START',
        message: `PostgreSQL ended right after its start: ${tail}`,
        hint: `Read ${files.log}.`,
        retryable: true,
      })
    }
    await sleep(200 * 2 ** attempt)
  }
}

async function spawnServer(options: Launch, port: number, logPath: string): Promise<ChildProcess> {
  // Nothing alive answers to this file (see `runningPostmaster`); a pid that came again would make the server refuse.
  await rm(join(options.data, 'postmaster.pid'), { force: true })
  const log = await open(logPath, 'a', 0o600)
  try {
    const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', log_checkpoints: 'off' }
    const child = spawn(
      options.binaries.postgres,
      ['-D', options.data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
      {
        cwd: options.data,
        env: { PATH: '/usr/bin:/bin', TZ: 'UTC' },
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
        ...(options.user ?? {}),
      },
    )
    child.on('error', () => {})
    child.unref()
    return child
  } finally {
    await log.close()
  }
}

/** True when the child ended before it was ready. */
async function endedOrReady(child: ChildProcess, data: string, deadline: number): Promise<boolean> {
  while (Date.now() < deadline) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return true
    const server = await runningPostmaster(data)
    if (server?.ready && server.pid === child.pid) return false
    await sleep(20)
  }
  return false
}

/** Null when it ended meanwhile: nobody would ever become ready. */
async function untilReady(data: string, deadline: number): Promise<Postmaster | null> {
  for (;;) {
    const server = await runningPostmaster(data)
    if (server?.ready) return server
    if (!server && Date.now() <= deadline) return null
    if (Date.now() > deadline) {
      throw new LandfallError({
        code: 'E_POSTGRES_START',
        message: 'PostgreSQL did not become ready in time.',
        hint: 'It may be recovering after a crash: start again, and read postgres.log if it stays so.',
        retryable: true,
      })
    }
    await sleep(20)
  }
}

async function rotateLog(path: string): Promise<void> {
  const size = (await stat(path).catch(() => null))?.size ?? 0
  if (size > maxLogBytes) await rename(path, `${path}.1`)
  else if (size > 0) await chmod(path, 0o600)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
