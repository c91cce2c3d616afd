import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { parseEnvelope } from '@landfall/release'
import { carried, importInto, siteRests } from '../world/bases.ts'
import { processesOf } from '../world/processes.ts'
import { project } from '../world/vendor.ts'
import type { World } from '../world/world.ts'
import type { Scenario } from './scenario.ts'

/** The engine tries a step eight times and no more; so many kills of who does it leave room for a call that finds it starting. */
const kills = 6
const by = { runs: ['site'], victims: ['agent', 'host'], audit: { agent: 'site' }, kills } as const
/** The vendor's manager takes part, and PostgreSQL under it. A command or an export has the host daemon write nothing: nowhere to kill it. */
const withVendor = {
  runs: ['manager', 'site'],
  victims: ['agent', 'manager', 'postgres'],
  audit: { manager: 'initech', agent: 'site' },
  kills,
} as const

/** The whole export, read to its end. */
const writeExport = (world: World): Promise<Buffer<ArrayBuffer>> =>
  world.insist(async () => {
    const call = { method: 'POST', path: '/v1/exports', body: { by: 'chaos' } } as const
    const { headers, content } = await world.agent('site').bytes(call)
    const whole = await buffer(content)
    if (whole.length !== Number(headers['content-length'])) {
      throw new Error(`the export has ${whole.length} bytes`)
    }
    return whole
  })

/** Made at the site, taken in by the vendor; one whose answer was lost is given again. */
async function carryHome(world: World): Promise<void> {
  const body = await writeExport(world)
  const taken = await world.insist(() => world.vendor.client.importExport({ params: { project }, body }))
  if (taken.name !== 'initech') throw new Error(`the export is of ${taken.name}`)
}

const signed = (world: World) => readFileSync(carried(world, 'count.command'), 'utf8').trim()

export const site: readonly Scenario[] = [
  {
    // What the vendor's manager does before a bundle and a command can be carried.
    ...{ name: 'site-order', base: 'fresh', runs: ['manager'], victims: ['manager', 'postgres'] },
    audit: { manager: 'initech' },
    async act(world) {
      const { client } = world.vendor
      const params = world.of('initech')
      const order = { params, body: { release: '1.1.0' } }
      const made = await world.insist(() => client.createBundleOrder(order, { idempotencyKey: 'order-initech' }))
      if (made.order.target?.release !== world.vendor.releases.get('1.1.0')) throw new Error('the order names another')
      const command = { params, body: { envelope: parseEnvelope(signed(world)) } }
      await world.insist(() => client.recordCommand(command, { idempotencyKey: 'record-initech' }))
    },
  },
  {
    ...{ ...by, name: 'site-import', base: 'fresh' as const },
    async act(world) {
      await importInto(world, '1.0.0')
      await siteRests(world, '1.0.0')
    },
  },
  {
    ...{ ...by, name: 'site-update', base: 'running' as const },
    async act(world) {
      await importInto(world, '1.1.0')
      await siteRests(world, '1.1.0')
    },
  },
  {
    ...{ ...by, name: 'site-rollback', base: 'running' as const },
    async act(world) {
      await importInto(world, '1.2.0')
      await siteRests(world, '1.0.0')
      const { state } = await world.insist(() => world.status('site'))
      if (state?.rejected.length !== 1) throw new Error(`${state?.rejected.length} targets went back, not one`)
    },
  },
  {
    ...{ ...withVendor, name: 'site-command', base: 'running' as const },
    async act(world) {
      const envelope = signed(world)
      const call = { method: 'POST', path: '/v1/commands', body: { envelope, by: 'chaos' } } as const
      await world
        .insist(() => world.agent('site').json(call))
        .catch((error) => {
          // The first call was taken and its answer lost: a nonce counts once.
          if ((error as { code?: string }).code !== 'E_COMMAND_REPLAYED') throw error
        })
      await world.until(
        () => world.status('site'),
        ({ commands }) => commands.length === 1 && commands[0]?.status === 'succeeded',
      )
      await carryHome(world)
      const { items } = await world.insist(() => world.vendor.client.listCommands({ params: world.of('initech') }))
      if (items[0]?.status !== 'succeeded') throw new Error(`the vendor holds the command for ${items[0]?.status}`)
    },
  },
  {
    ...{ ...withVendor, name: 'site-export', base: 'running' as const },
    async act(world) {
      await carryHome(world)
      const seen = await world.insist(() => world.vendor.client.getDeployment({ params: world.of('initech') }))
      // An export is over before an environment has come back from a start: the end is measured with it.
      const all = async () => processesOf(world.root)
      await world.until(all, (processes) => processes.some(({ kind }) => kind === 'worker'))
      if (seen.actual?.version !== '1.0.0')
        throw new Error(`the vendor holds ${seen.actual?.version} for what runs there`)
    },
  },
  {
    ...{ ...withVendor, name: 'site-delete', base: 'running' as const },
    victims: ['agent', 'host', 'manager', 'postgres'],
    // What was deleted is shown to nobody at the vendor: its chain is not asked for.
    audit: { agent: 'site' },
    async act(world) {
      const { client } = world.vendor
      const idempotencyKey = 'leave-initech'
      await world.insist(() => client.destroyDeployment({ params: world.of('initech') }, { idempotencyKey }))
      await importInto(world, 'leave')
      await world.until(
        () => world.status('site'),
        ({ state }) => state?.phase === 'deleted',
      )
      await carryHome(world)
      await world.until(
        () => client.listDeployments({ params: { project } }),
        ({ items }) => items.every(({ name }) => name !== 'initech'),
      )
    },
  },
]
