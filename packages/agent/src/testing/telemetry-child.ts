import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { customerSettings } from '@landfall/stack'
import { Spool } from '../spool/spool.ts'
import { AgentState } from '../state/agent-state.ts'
import { startTelemetry } from '../telemetry/start-telemetry.ts'
import { fetchUplink } from './otlp-manager.ts'

/** The telemetry of an agent in a process of its own, sending to `url`; says where it takes telemetry. */
const [directory = '', url = ''] = process.argv.slice(2)
mkdirSync(directory, { recursive: true })
const clock = { now: () => Date.now(), sleep: (ms: number) => sleep(Math.min(ms, 10)) }
const state = AgentState.open(directory, Buffer.alloc(32, 5))
const spool = new Spool({ directory, sealer: state.sealer('spool'), clock })
const parts = {
  ...{ state, spool, clock },
  log: { info: () => {}, warn: () => {} },
  random: { next: Math.random },
  settings: { inForce: () => customerSettings.parse({}) },
  setup: { deployment: { id: 'dep_1', name: 'eu', project: 'acme' } },
}
const telemetry = await startTelemetry(parts as never, fetchUplink(url))
process.stdout.write(`${JSON.stringify(telemetry.target({ id: 'dep_1' }))}\n`)
