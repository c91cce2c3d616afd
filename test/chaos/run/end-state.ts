import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { stable } from '../instrument/place-name.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { processesOf } from '../world/processes.ts'
import type { World } from '../world/world.ts'

/** What a run leaves, with everything that differs from run to run by itself made the same. Each is counted. */
export interface EndState {
  files: Record<string, number>
  processes: Record<string, number>
  tables: Record<string, number>
  audit: Record<string, number>
  /** Attempts that the worker itself counted: how often each. */
  effects: Record<string, number>
  /** Chains that do not hold. */
  broken: string[]
}

const count = (items: Iterable<string>) => {
  const counts: Record<string, number> = {}
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1
  return counts
}

/** Beside a database while somebody has it open. */
const passing = /-(?:wal|shm|journal)$|\.sock$/

function* filesBelow(directory: string, root = directory): Generator<string> {
  if (!existsSync(directory)) return
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      yield `${stable(relative(root, path))}/`
      yield* filesBelow(path, root)
    } else if (!passing.test(entry.name)) yield stable(relative(root, path))
  }
}

export async function endState(world: World, scenario: Scenario): Promise<EndState> {
  const { effects } = world.at
  const lines = existsSync(effects) ? readFileSync(effects, 'utf8').split('\n').filter(Boolean) : []
  const { audit, broken } = await auditOf(world, scenario)
  return {
    files: count(filesBelow(world.at.live)),
    processes: count(processesOf(world.root).map(({ kind }) => stable(kind))),
    tables: scenario.runs.includes('manager') ? await world.database.counts() : {},
    audit: count(audit),
    effects: count(lines),
    broken,
  }
}

async function auditOf(world: World, { audit: of }: Scenario): Promise<{ audit: string[]; broken: string[] }> {
  const audit: string[] = []
  const broken: string[] = []
  const { manager, agent } = of
  if (manager !== undefined) {
    const [row] = await world.database.query(
      `select id from deployments where name = '${manager}' order by created_at desc limit 1`,
    )
    const params = world.of(String(row?.id ?? manager))
    const { items } = await world.vendor.client.listDeploymentAudit({ params, query: { limit: 200 } })
    audit.push(...items.map(({ type }) => `manager ${type}`))
    const verified = await world.vendor.client.verifyAudit({ params })
    if (!verified.ok) broken.push(`manager: ${JSON.stringify(verified.broken)}`)
  }
  if (agent !== undefined) {
    const client = world.agent(agent)
    const { links } = await client.json<{ links: { type: string }[] }>({ method: 'GET', path: '/v1/audit?limit=500' })
    audit.push(...links.map(({ type }) => `agent ${type}`))
    const verified = await client.json<{ ok: boolean }>({ method: 'GET', path: '/v1/audit/verify' })
    if (!verified.ok) broken.push(`agent: ${JSON.stringify(verified)}`)
  }
  return { audit, broken }
}
