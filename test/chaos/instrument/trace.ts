import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { callers } from './callers.ts'

/** Taken before anything is wrapped: what the instrument writes itself is no point. */
const own = { appendFileSync, existsSync, readFileSync }

/** Who is killed where. The harness writes it as `armed.json`; until then nothing is counted. */
export interface Armed {
  /** Whose points kill; null: nobody's. Every process is traced. */
  process: string | null
  /** `POINT before` or `POINT after`, where a point is `NAME #OCCURRENCE`. */
  deaths: readonly string[]
  /** Occurrences are told apart up to this one; later ones count as it. */
  occurrences: number
  /** So often in one run, each at another of `deaths`. */
  kills: number
  /** PostgreSQL's `postmaster.pid`, when it is to get the SIGKILL in place of ourselves. */
  victim: string | null
}

export const files = {
  armed: 'armed.json',
  killed: 'killed.log',
  trace: (name: string) => `trace-${name}.log`,
  /** Grows with each mutation before the world is armed: how one sees that a start has come to rest. */
  early: 'early.log',
}

const directory = process.env.LANDFALL_CHAOS ?? ''
export const processName = process.env.LANDFALL_CHAOS_PROCESS ?? ''
const at = (name: string) => join(directory, name)
const counts = new Map<string, number>()
let armed: Armed | null = null

/** What is below this directory belongs to the product. */
export const liveDirectory = join(directory, '..', 'live')

/** True from when the harness armed the world. Occurrences go on where an earlier, killed process of the name ended. */
function isArmed(): boolean {
  if (armed) return true
  if (!own.existsSync(at(files.armed))) return false
  armed = JSON.parse(own.readFileSync(at(files.armed), 'utf8')) as Armed
  for (const line of linesOf(files.trace(processName))) {
    const [, name = '', occurrence = ''] = /^(.*) #(\d+) before$/.exec(line) ?? []
    if (name !== '') counts.set(name, Math.max(counts.get(name) ?? 0, Number(occurrence)))
  }
  return true
}

function linesOf(name: string): string[] {
  const file = at(name)
  return own.existsSync(file) ? own.readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}

/**
 * A durable mutation is about to happen: it is numbered, and the process ends here when that was asked for. Answers what is to be
 * called when the mutation is done; one that fails is never done, so its `after` is no place to die.
 */
export function mutation(what: string): () => void {
  if (!isArmed() || !armed) {
    own.appendFileSync(at(files.early), '.')
    return () => {}
  }
  const name = `${what} @ ${callers()}`
  const occurrence = Math.min((counts.get(name) ?? 0) + 1, armed.occurrences)
  counts.set(name, occurrence)
  const point = `${name} #${occurrence}`
  pass(`${point} before`)
  return () => pass(`${point} after`)
}

function pass(death: string): void {
  own.appendFileSync(at(files.trace(processName)), `${death}\n`)
  if (armed?.process !== processName || !armed.deaths.includes(death)) return
  const before = linesOf(files.killed)
  if (before.length >= armed.kills || before.includes(death)) return
  const pid = armed.victim === null ? process.pid : livingPostgres(armed.victim)
  // Killed a moment ago and not started again: there is nobody to kill here.
  if (pid === null) return
  own.appendFileSync(at(files.killed), `${death}\n`)
  process.kill(pid, 'SIGKILL')
}

function livingPostgres(pidFile: string): number | null {
  try {
    const pid = Number(own.readFileSync(pidFile, 'utf8').split('\n')[0])
    return own.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('postgres') ? pid : null
  } catch {
    return null
  }
}
