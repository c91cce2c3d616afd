import { realpath, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { clusterParent, places, sharedBase } from './places.ts'
import { runningPostmaster } from './postmaster.ts'
import { stopPostmaster } from './stop.ts'
import { serverUser } from './user.ts'

/** Stops the server of `directory`, if one runs, and deletes its data, wherever they are. Idempotent. */
export async function removePostgres(given: string): Promise<void> {
  const directory = await realpath(given).catch(() => null)
  if (directory === null) return
  const parent = await clusterParent(directory, await serverUser(places(directory).data))
  const data = join(parent, 'data')
  const server = await runningPostmaster(data)
  if (server) await stopPostmaster(data, server.pid)
  await rm(data, { recursive: true, force: true })
  if (dirname(parent) === sharedBase) await rm(parent, { recursive: true, force: true })
  await rm(directory, { recursive: true, force: true })
}
