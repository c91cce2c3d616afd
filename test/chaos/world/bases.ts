import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { landfall } from '../../../scripts/story/landfall.ts'
import { project } from './vendor.ts'
import type { World } from './world.ts'

/** What is carried to the site, by what it brings. */
export const carried = (world: World, name: string) => join(world.at.carried, name)

const secrets = { token: 'a secret of the customer' }

/**
 * A state that scenarios begin from: `vendor` (a manager with releases), `pushed` (1.0.0 runs by push), `fresh` (two agents that run nothing
 * yet) and `running` (1.0.0 at the site, and pulled).
 */
export type Base = 'vendor' | 'pushed' | 'fresh' | 'running'

const makers: Record<Exclude<Base, 'vendor'>, { from: Base; make: (world: World) => Promise<void> }> = {
  pushed: { from: 'vendor', make: makePushed },
  fresh: { from: 'vendor', make: makeFresh },
  running: { from: 'fresh', make: makeRunning },
}

/** Makes a state where it is not kept yet, and the files that are carried to the site: some of those for `fresh` are signed at `running`. */
export async function makeBase(world: World, base: Base): Promise<void> {
  await make(world, base === 'fresh' ? 'running' : base)
}

async function make(world: World, base: Base): Promise<void> {
  if (base === 'vendor' || world.keeps(base)) return
  const maker = makers[base]
  await make(world, maker.from)
  await world.bringBack(maker.from)
  await world.manager.start()
  await maker.make(world)
  await world.keep(base)
  if (base === 'running') await signLeave(world)
}

async function makePushed(world: World): Promise<void> {
  await createPush(world, 'base')
  await world.vendor.client.updateDeployment({ params: world.of('acme'), body: { pin: '1.0.0' } })
  await rests(world, 'acme', '1.0.0')
}

async function makeFresh(world: World): Promise<void> {
  const { vendor } = world
  for (const [name, model, data] of [
    ['initech', 'airgapped', world.at.site],
    ['globex', 'pull', world.at.puller],
  ] as const) {
    const body = { name, platform: 'local' as const, model, setup: true, secrets }
    await vendor.client.createDeployment({ params: { project }, body })
    const setup = await vendor.client.createAgentSetup({ params: world.of(name), body: {} })
    const file = carried(world, `${name}.setup.json`)
    writeFileSync(file, JSON.stringify(setup))
    mkdirSync(join(data, '..'), { recursive: true })
    await landfall(['agent', 'init', '--setup', file, '--data', data], { environment: {} })
  }
  await world.site.start()
  const enrolment = carried(world, 'enrolment.export')
  await landfall(['agent', 'export', '--data', world.at.site, '--out', enrolment], { environment: {} })
  await vendor.landfall(['bundle', 'import', enrolment])
  await bundle(world, '1.0.0')
}

async function makeRunning(world: World): Promise<void> {
  const { vendor } = world
  await Promise.all([world.site.start(), world.puller.start()])
  await vendor.client.updateDeployment({ params: world.of('globex'), body: { pin: '1.0.0' } })
  await importInto(world, '1.0.0')
  await rests(world, 'globex', '1.0.0')
  await siteRests(world, '1.0.0')
  await bundle(world, '1.1.0')
  await bundle(world, '1.2.0')
  await vendor.landfall(['command', 'sign', 'initech', 'api.count', '--out', carried(world, 'count.command')])
}

/** Signed from `running`, after it was kept: the deletion is in no state that others begin from. */
async function signLeave(world: World): Promise<void> {
  const { vendor, manager } = world
  await manager.start()
  await vendor.client.destroyDeployment({ params: world.of('initech') })
  const out = carried(world, 'leave.bundle')
  await vendor.landfall(['bundle', 'create', '--deployment', 'initech', '--no-agent', '--out', out])
  await manager.stop('SIGTERM')
}

async function bundle({ vendor, ...world }: World, version: string): Promise<void> {
  const out = join(world.at.carried, `${version}.bundle`)
  await vendor.landfall(['bundle', 'create', version, '--deployment', 'initech', '--no-agent', '--out', out])
}

/** The customer by push; the key makes it one however often it is asked for. */
export function createPush(world: World, key: string) {
  const body = { name: 'acme', platform: 'local' as const, setup: true, secrets }
  return world.insist(() =>
    world.vendor.client.createDeployment({ params: { project }, body }, { idempotencyKey: `create-${key}` }),
  )
}

export async function importInto(world: World, name: string): Promise<void> {
  const file = carried(world, `${name}.bundle`)
  const call = { method: 'POST', path: '/v1/imports', body: { file, by: 'chaos' } } as const
  await world.insist(() => world.agent('site').importing(call, () => {}))
}

export const rests = (world: World, name: string, version: string) =>
  world.until(
    () => world.vendor.client.getDeployment({ params: world.of(name) }),
    ({ phase, actual }) => phase === 'running' && actual?.version === version,
  )

export const siteRests = (world: World, version: string) =>
  world.until(
    () => world.status('site'),
    ({ state, order }) =>
      state !== null &&
      state.phase === 'running' &&
      !state.candidate &&
      state.generation === order?.generation &&
      state.stable?.release === world.vendor.releases.get(version),
  )
