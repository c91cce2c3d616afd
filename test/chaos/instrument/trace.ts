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
  /** Process id that gets SIGKILL in place of our own: PostgreSQL's. */
  victim: number | null
}

export const files = { armed: 'armed.json', killed: 'killed.log', trace: (name: string) => `trace-${name}.log` }

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
    const [, name = '', occurrence = ''] = /^(.*) #(\d+)$/.exec(line) ?? []
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
 * called when the mutation is done.
 */
export function mutation(what: string): () => void {
  if (!isArmed() || !armed) return () => {}
  const name = `${what} @ ${callers()}`
  const occurrence = Math.min((counts.get(name) ?? 0) + 1, armed.occurrences)
  counts.set(name, occurrence)
  const point = `${name} #${occurrence}`
  own.appendFileSync(at(files.trace(processName)), `${point}\n`)
  if (armed.process !== processName) return () => {}
  die(`${point} before`)
  return () => die(`${point} after`)
}

function die(death: string): void {
  if (!armed?.deaths.includes(death)) return
  const before = linesOf(files.killed)
  if (before.length >= armed.kills || before.includes(death)) return
  own.appendFileSync(at(files.killed), `${death}\n`)
  process.kill(armed.victim ?? process.pid, 'SIGKILL')
}
