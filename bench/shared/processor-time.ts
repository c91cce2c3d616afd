import { readdirSync, readFileSync } from 'node:fs'

/** Processor seconds of this process so far. */
export function ownTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/**
 * Processor seconds so far of a PostgreSQL on this machine, all its processes together; NaN where the system does not tell.
 *
 * @param backend process id of any of its backends
 */
export function postgresTime(backend: number): number {
  try {
    const { parent } = statOf(backend)
    const own = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [tryStat(Number(name))] : []))
    const alive = own.filter((one) => one?.parent === parent).reduce((sum, one) => sum + (one?.ticks ?? 0), 0)
    return (alive + statOf(parent).ended) / ticksASecond
  } catch {
    return Number.NaN
  }
}

/** What Linux has counted in since ever, whatever its kernel ticks at. */
const ticksASecond = 100

function tryStat(pid: number) {
  try {
    return statOf(pid)
  } catch {
    return null
  }
}

/** Of one process: its parent, its own ticks, and those of its children that have ended. */
function statOf(pid: number): { parent: number; ticks: number; ended: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name may hold spaces: what counts stands behind its bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const at = (index: number) => Number(fields[index])
  return { parent: at(1), ticks: at(11) + at(12), ended: at(13) + at(14) }
}
