import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { landfall } from '../../../scripts/story/landfall.ts'
import { project } from './vendor.ts'
import type { World } from './world.ts'

/** What is carried to the site, by what it brings. */
export const carried = (world: World, name: string) => join(world.at.carried, name)

const secrets = { token: 'a secret of the customer' }

/**
 * Makes the two states that scenarios begin from: `fresh` (a manager with releases, two agents that run nothing yet) and `running` (1.0.0 by
 * push, at the site, and pulled), and the files that are carried to the site.
 */
export async function makeBases(world: World): Promise<void> {
  const { vendor, manager } = world
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
  await world.keep('fresh')

  await manager.start()
  await Promise.all([world.site.start(), world.puller.start()])
  await createPush(world, 'base')
  for (const name of ['acme', 'globex']) {
    await vendor.client.updateDeployment({ params: world.of(name), body: { pin: '1.0.0' } })
  }
  await importInto(world, '1.0.0')
  for (const name of ['acme', 'globex']) await rests(world, name, '1.0.0')
  await siteRests(world, '1.0.0')
  await bundle(world, '1.1.0')
  await bundle(world, '1.2.0')
  await vendor.landfall(['command', 'sign', 'initech', 'api.count', '--out', carried(world, 'count.command')])
  await world.keep('running')

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
