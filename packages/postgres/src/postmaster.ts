import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Postmaster {
  pid: number
  port: number
  /** Accepts connections. */
  ready: boolean
}

/**
 * The server that runs on this cluster, or null. Read from `postmaster.pid` (lines: pid, data directory, start time,
 * port, socket directory, listen address, shared memory key, status; PostgreSQL's `pidfile.h`); the pid is believed
 * only if that process is a postgres, because pids come again.
 */
export async function runningPostmaster(data: string): Promise<Postmaster | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => null)
  if (text === null) return null
  const lines = text.split('\n')
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0 || !(await isPostgres(pid, data))) return null
  return { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' }
}

async function isPostgres(pid: number, data: string): Promise<boolean> {
  const command = await commandLine(pid)
  return command.includes('postgres') && command.includes(data)
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
  }
  const result = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => null)
  return result?.stdout ?? ''
}
