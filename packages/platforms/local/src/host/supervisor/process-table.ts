import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { markerVariable } from '../../shared/places.ts'

/**
 * When a process started, as the kernel tells it: with the pid this names one process for good, because pids come again.
 * Null when there is no such process.
 */
export async function processStart(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
    // Field 22 (proc_pid_stat(5)); the name in field 2 may hold spaces and parentheses.
    return stat === null ? null : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null)
  }
  const result = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => null)
  return result?.stdout.trim() || null
}

/** Every process of ours whose environment carries this area's marker, whoever started it; zombies are not counted. */
export async function markedProcesses(marker: string): Promise<number[]> {
  const needle = `${markerVariable}=${marker}`
  if (process.platform !== 'linux') {
    const result = await promisify(execFile)('ps', ['-axEww', '-o', 'pid=,command='], { maxBuffer: 64e6 })
    return result.stdout
      .split('\n')
      .filter((line) => line.includes(needle))
      .map((line) => Number.parseInt(line, 10))
  }
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // A zombie's environment reads as empty.
    const environment = await readFile(`/proc/${name}/environ`, 'latin1').catch(() => '')
    if (environment.split('\0').includes(needle)) found.push(Number(name))
  }
  return found
}

/** Signals a whole process group, or the one process where it leads none. False when nothing was there that we may signal. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal)
      return true
    } catch (error) {
      // EPERM: the pid belongs to somebody else's process by now (or, on macOS, to a zombie).
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return false
}
