import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** What lies in an environment's directory. */
export function places(given: string) {
  const directory = resolve(given)
  return {
    directory,
    /** The customer's switch: Landfall manages the directory while this file exists. */
    access: join(directory, 'landfall-access'),
    hostDb: join(directory, 'host.db'),
    dataDb: join(directory, 'data.db'),
    lock: join(directory, 'host.lock'),
    key: join(directory, 'host.key'),
    log: join(directory, 'host.log'),
    socket: socketPath(directory),
    storage: join(directory, 'storage'),
    artifacts: join(directory, 'artifacts'),
    logs: join(directory, 'logs'),
    run: join(directory, 'run'),
    postgres: join(directory, 'postgres'),
  }
}
export type Places = ReturnType<typeof places>

/** A unix socket's path holds at most 107 bytes (`sun_path`, 103 on macOS): longer ones move to the temporary directory. */
function socketPath(directory: string): string {
  const direct = join(directory, 'host.sock')
  if (Buffer.byteLength(direct) <= 100) return direct
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 24)
  return join(tmpdir(), `landfall-${hash}.sock`)
}

/** In the environment of every worker process, so that one is recognised even when its record was lost. */
export const markerVariable = 'LANDFALL_AREA'

export function areaMarker(directory: string): string {
  return createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 32)
}

export const accessText = `Landfall may manage what is in this directory while this file exists.
Remove it to take the access away: workers go on running, nothing is changed any more.
Put an empty file of the same name back to give it again.
`
