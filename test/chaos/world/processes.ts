import { readdirSync, readFileSync } from 'node:fs'

/** What runs in a world, by kind and by the directory it works on. */
export interface WorldProcess {
  pid: number
  kind: string
}

/** Every process whose command line or environment names the world's directory; ourselves and PostgreSQL left out. */
export function processesOf(root: string): WorldProcess[] {
  const found: WorldProcess[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const words = read(pid, 'cmdline').split('\0')
    const environment = read(pid, 'environ').split('\0')
    const line = words.join(' ')
    if (!line.includes(`${root}/live`) && !environment.some((one) => one.includes(`${root}/live`))) continue
    if (line.includes('postgres')) continue
    found.push({ pid, kind: kindOf(line, environment) })
  }
  return found
}

function kindOf(line: string, environment: readonly string[]): string {
  if (line.includes('host/main.ts')) return `host ${line.split('--directory ')[1]?.split('/live/')[1]?.trim()}`
  if (line.includes(' serve ')) return 'manager'
  if (line.includes(' agent ')) return 'agent'
  if (environment.some((one) => one.startsWith('LANDFALL_AREA='))) return 'worker'
  return line.trim()
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
