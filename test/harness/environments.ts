import { execFileSync } from 'node:child_process'
import { markedProcesses } from '../../packages/platforms/local/src/host/supervisor/process-table.ts'
import { areaMarker } from '../../packages/platforms/local/src/shared/places.ts'

/** Processes of one environment of the local platform: daemons, and what they run. */
export interface Running {
  daemons: number[]
  workers: number[]
}

/** Daemons are found by their arguments, workers by the marker that each carries, whoever started it. */
export async function runningIn(directory: string): Promise<Running> {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8', maxBuffer: 16e6 }).split('\n')
  const daemons = lines.filter((line) => line.trimEnd().endsWith(`--directory ${directory}`))
  const workers = await markedProcesses(areaMarker(directory))
  return { daemons: daemons.map((line) => Number.parseInt(line, 10)), workers }
}
