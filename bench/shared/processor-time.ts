import { readdirSync, readFileSync } from 'node:fs'

/** Processor seconds of this process so far. */
export function ownTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/**
 * Processor seconds so far of a PostgreSQL on this machine, all its processes together; NaN where the system does not tell.
 *
 * @param backend process id of any of its backends, which need not live longer than this call
 */
export function postgresTimer(backend: number): () => number {
  const server = tryStat(backend)?.parent ?? Number.NaN
  return () => {
    const ended = tryStat(server)?.ended
    if (ended === undefined) return Number.NaN
    const alive = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [tryStat(Number(name))] : []))
    const own = alive.filter((one) => one?.parent === server)
    return own.reduce((sum, one) => sum + (one?.ticks ?? 0), ended) / ticksASecond
  }
}

/** What Linux counts in, whatever its kernel ticks at. */
const ticksASecond = 100

/** Of one process: its parent, its own ticks, and those of its children that have ended; null where there is none. */
function tryStat(pid: number): { parent: number; ticks: number; ended: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name may hold spaces: what counts stands behind its bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const at = (index: number) => Number(fields[index])
    return { parent: at(1), ticks: at(11) + at(12), ended: at(13) + at(14) }
  } catch {
    return null
  }
}
