import { join } from 'node:path'
import { customers, site } from '../customers.ts'
import { carry } from '../site.ts'
import { project } from '../vendor.ts'
import { bringBack } from './carried.ts'
import { until } from './rest.ts'
import type { Stage } from './stage.ts'

/** The same digest, the same command, the same logs, the same audit in three models; and nothing has left the site. */
export async function sameEverywhere(stage: Stage, version: string): Promise<void> {
  const { vendor, narrator, claims, initech } = stage
  const { client } = vendor
  const { items } = await client.listDeployments({ params: { project } })
  const digests = new Set(items.map((item) => item.actual?.release))
  claims.check(
    `The same release digest runs in all three models`,
    items.length === customers.length && digests.size === 1 && items.every((item) => item.actual?.version === version),
    `${[...digests].map((one) => one?.slice(0, 19)).join(', ')} on ${items.map((item) => `${item.name} (${item.model})`).join(', ')}`,
  )
  for (const { name } of customers) await command(stage, name)
  for (const { name, model } of customers) {
    const logs = await client.getLogs({ params: { project, deployment: name }, query: { limit: 50 } })
    claims.check(`Logs of ${name} (${model}) are in the manager`, logs.items.length > 0, `${logs.items.length} lines`)
  }
  let entries = 0
  for (const { name } of customers) {
    const verified = await client.verifyAudit({ params: { project, deployment: name } })
    entries += verified.entries
    if (!verified.ok) claims.check(`The audit chain of ${name} holds`, false, verified.broken?.message ?? '')
  }
  claims.check(
    'Every act is in an unbroken audit chain',
    entries > 0,
    `${entries} entries over ${customers.length} chains`,
  )
  for (const place of [stage.globex, initech]) {
    const seen = (await place.landfall(['audit', 'verify'])) as { ok: boolean }
    claims.check(
      `${place.name} proves its own copy of what was done there`,
      seen.ok,
      JSON.stringify(seen).slice(0, 100),
    )
  }
  for (const { name } of customers) {
    const explanation = await client.explainDeployment({ params: { project, deployment: name } })
    narrator.command(`landfall deployments explain ${name}`)
    narrator.done(explanation.sentence)
  }
  const { island } = initech
  if (!island) return
  const packets = island.packets()
  claims.check(
    'Nothing left the site, and nothing tried to: no interface, no packet without a route',
    packets.interfaces.length === 0 && packets.crossed === 0 && packets.noRoute === 0,
    JSON.stringify(packets),
  )
}

/** `reindex` with its result: at once where there is a network, in a signed file and an export where there is none. */
async function command(stage: Stage, deployment: string): Promise<void> {
  const { vendor, narrator, claims } = stage
  const id = deployment === site ? await carriedCommand(stage) : await sent(stage, deployment)
  const read = () => vendor.client.getCommand({ params: { project, deployment, command: id } })
  await until(async () => !['queued', 'running'].includes((await read()).status), 30_000)
  const done = await read()
  claims.check(
    `A command runs at ${deployment} and gives its result`,
    done.status === 'succeeded',
    JSON.stringify(done.result ?? done.error).slice(0, 100),
  )
  narrator.done(`${deployment}: ${JSON.stringify(done.result)}`)
}

async function sent({ vendor, narrator }: Stage, deployment: string): Promise<string> {
  narrator.command(`landfall command run ${deployment} reindex`)
  return (await vendor.client.sendCommand({ params: { project, deployment }, body: { command: 'reindex' } })).id
}

async function carriedCommand(stage: Stage): Promise<string> {
  const { vendor, narrator, initech } = stage
  const out = join(vendor.directory, 'out', 'reindex.command')
  narrator.command(`landfall command sign ${site} api.reindex --out reindex.command`)
  await vendor.landfall(['command', 'sign', site, 'api.reindex', '--out', out])
  const there = await carry(out, join(initech.directory, 'in'))
  narrator.command('landfall agent command reindex.command             (at initech)')
  const { id } = (await initech.landfall(['command', there])) as { id: string }
  await until(
    async () => (await initech.status()).commands.some((one) => one.id === id && one.finishedAt !== null),
    30_000,
    500,
  )
  await bringBack(stage, 'command')
  return id
}
