import { mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DeploymentRef } from '@landfall/engine'
import { LandfallError } from '@landfall/stack'
import { markedProcesses } from '../host/supervisor/process-table.ts'
import { takeLock } from '../shared/lock.ts'
import { accessText, areaMarker, type Places, places } from '../shared/places.ts'
import { checkAccess } from './daemon.ts'
import type { HostClient } from './host-client.ts'

/** The environment's directory; throws when the deployment names none. */
export function placesOf(deployment: DeploymentRef): Places {
  const { directory } = deployment.environment
  if (typeof directory === 'string' && isAbsolute(directory)) return places(directory)
  throw new LandfallError({
    code: 'E_ENVIRONMENT_INVALID',
    message: `The deployment ${deployment.name} names no directory for its environment.`,
    hint: 'Give the local platform an absolute path: { directory: "/srv/acme" }.',
    subject: `deployment:${deployment.name}`,
  })
}

/** Makes directory and access file for a new area; an area whose access file the customer took away stays closed. */
export async function openArea(client: HostClient, deployment: DeploymentRef, signal: AbortSignal): Promise<void> {
  const at = client.places
  await mkdir(at.directory, { recursive: true, mode: 0o700 })
  if (!(await exists(at.hostDb))) {
    await writeFile(at.access, accessText, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
  await checkAccess(at)
  await client.json({ method: 'PUT', path: '/v1/area', json: { deployment: deployment.id }, signal })
}

/** Ends daemon, processes and servers, and deletes what they made. What the customer put beside it stays. */
export async function closeArea(client: HostClient, signal: AbortSignal): Promise<void> {
  const at = client.places
  if (!(await exists(at.directory))) return
  if (await exists(at.hostDb)) {
    await client.json({ method: 'DELETE', path: '/v1/area', signal })
    while (await exists(at.socket)) await sleep(20, undefined, { signal })
  }
  // Held to the end: a daemon whose start comes late gives way, and sees that its area is closed.
  let lock = takeLock(at.lock)
  for (; !lock; lock = takeLock(at.lock)) await sleep(20, undefined, { signal })
  try {
    await deleteArea(at)
  } finally {
    lock.close()
  }
  // The lock goes last of all: who waited for it finds no access file.
  for (const path of withJournals(at.lock)) await rm(path, { force: true })
  if ((await readdir(at.directory)).length === 0) await rmdir(at.directory)
}

async function deleteArea(at: Places): Promise<void> {
  const left = await markedProcesses(areaMarker(at.directory))
  if (left.length > 0) {
    throw new LandfallError({
      code: 'E_AREA_NOT_EMPTY',
      message: `${left.length} processes of the environment still run (${left.join(', ')}).`,
      hint: 'The loop tries again; end them by hand if they stay.',
      retryable: true,
    })
  }
  const databases = [at.hostDb, at.dataDb].flatMap(withJournals)
  const made = [
    ...databases,
    at.key,
    at.socket,
    at.log,
    `${at.log}.1`,
    at.storage,
    at.artifacts,
    at.logs,
    at.run,
    at.postgres,
  ]
  // The access file goes last: a kill before that finds its way back in.
  for (const path of [...made, at.access]) await rm(path, { recursive: true, force: true })
}

function withJournals(path: string): string[] {
  return [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}
