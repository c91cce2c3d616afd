/**
 * What an agent costs that has nothing to do: a real process of the program that sites get, waiting in long-poll for a real manager, its
 * deployment running. Memory and processor time from /proc (Linux), bytes counted at a TCP pass-through between the two.
 *
 *   node bench/idle-agent.ts [seconds, default 120] [flags for Node that the agent gets]
 *
 * Prints a table and, as the last line, the same as JSON.
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { agentProgram } from '../packages/cli/src/agent-program/agent-program.ts'
import { AgentWorld, until } from '../test/harness/agent-world.ts'
import { passThrough } from './idle-agent/pass-through.ts'

const seconds = Math.max(10, Number(process.argv[2] ?? 120))
const flags = process.argv.slice(3)
const settleMs = 20_000
const run = promisify(execFile)

/** Clock ticks of a second, in which /proc counts processor time. */
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name of the program, in brackets, may hold anything; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticks
}

async function memoryMiB(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1_024
  return { now: of('VmRSS'), peak: of('VmHWM') }
}

/** The daemon of the environment, which the agent started: a process that names its directory. */
async function daemonOf(directory: string): Promise<number | null> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const line = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (line.includes(directory) && line.includes('--directory')) return Number(name)
  }
  return null
}

interface Row {
  process: string
  memoryMiB: number
  peakMiB: number
  processorPercent: number
}

const world = await AgentWorld.start({})
const wire = await passThrough(world.port)
let agent: ReturnType<typeof spawn> | null = null
try {
  await world.publish('1.0.0')
  await world.deploy('idle')
  await world.tell('idle', '1.0.0')
  const setup = await world.setUp('idle', { replace: true, url: wire.url })
  const site = world.site()
  const data = join(site, 'agent')
  const program = join(site, 'landfall-agent.mjs')
  const setupFile = join(site, 'setup.json')
  await mkdir(site, { recursive: true })
  await writeFile(program, await agentProgram())
  await writeFile(setupFile, JSON.stringify(setup), { mode: 0o600 })
  // As the systemd unit has it.
  const environment = { PATH: process.env.PATH, HOME: site, MALLOC_ARENA_MAX: '1' }
  await run(process.execPath, [program, 'init', '--setup', setupFile, '--data', data], { cwd: site, env: environment })
  agent = spawn(process.execPath, [...flags, program, 'run', '--data', data], {
    cwd: site,
    env: environment,
    stdio: 'inherit',
  })
  const pid = agent.pid ?? 0
  await until(
    () => world.view('idle'),
    ({ phase }) => phase === 'running',
  )
  await sleep(settleMs)
  const daemon = await daemonOf(String(setup.deployment.environment.directory ?? join(data, 'environment')))
  const processes = [['agent', pid] as const, ...(daemon ? [['daemon of the environment', daemon] as const] : [])]
  const before = await Promise.all(processes.map(([, each]) => processorMs(each)))
  const [fromAgent, toAgent] = [wire.counts.sent, wire.counts.received]
  const began = performance.now()
  await sleep(seconds * 1_000)
  const took = performance.now() - began
  const rows: Row[] = []
  for (const [index, [name, each]] of processes.entries()) {
    const memory = await memoryMiB(each)
    const used = (await processorMs(each)) - (before[index] ?? 0)
    rows.push({
      process: name,
      memoryMiB: Math.round(memory.now * 10) / 10,
      peakMiB: Math.round(memory.peak * 10) / 10,
      processorPercent: Math.round((used / took) * 100_000) / 1_000,
    })
  }
  const anHour = (bytes: number) => Math.round((bytes * 3_600_000) / took)
  const bytesPerHour = { sent: anHour(wire.counts.sent - fromAgent), received: anHour(wire.counts.received - toAgent) }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Linux, Node ${process.versions.node}`
  const widths = [28, 14, 14, 16]
  const print = (cells: readonly (string | number)[]) =>
    console.log(cells.map((cell, index) => String(cell).padEnd(widths[index] ?? 14)).join(' '))
  console.log(`Idle in long-poll for ${seconds} s; ${commit}, ${machine}\n`)
  print(['process', 'memory MiB', 'peak MiB', '% of a core'])
  for (const row of rows) print([row.process, row.memoryMiB, row.peakMiB, row.processorPercent])
  console.log(`\nbytes per hour: ${bytesPerHour.sent} from the agent, ${bytesPerHour.received} to it`)
  const daysDate = new Date().toISOString().slice(0, 10)
  console.log(JSON.stringify({ date: daysDate, commit, machine, seconds, flags, rows, bytesPerHour }))
} finally {
  if (agent && agent.exitCode === null) {
    agent.kill('SIGTERM')
    await new Promise((resolve) => agent?.once('close', resolve))
  }
  await wire.close()
  await world.stop()
}
