import { createPush, rests } from '../world/bases.ts'
import { project } from '../world/vendor.ts'
import type { World } from '../world/world.ts'
import type { Scenario } from './scenario.ts'

const victims = ['manager', 'host', 'postgres'] as const
const by = { runs: ['manager'], victims, audit: { manager: 'acme' } } as const

/** One person's wish is one key: a repeated call gets the first answer. */
const pin = (world: World, name: string, version: string) =>
  world.insist(() =>
    world.vendor.client.updateDeployment(
      { params: world.of(name), body: { pin: version } },
      { idempotencyKey: `pin-${name}-${version}` },
    ),
  )

export const goesBack = (world: World, name: string) =>
  world.until(
    () => world.vendor.client.getDeployment({ params: world.of(name) }),
    ({ phase, actual, rejected }) => phase === 'running' && actual?.version === '1.0.0' && rejected.length === 1,
  )

export async function commandEnds(world: World, name: string, command: string): Promise<void> {
  const params = { ...world.of(name), command }
  const seen = await world.until(
    () => world.vendor.client.getCommand({ params }),
    ({ status }) => status !== 'queued' && status !== 'running',
  )
  if (seen.status !== 'succeeded') throw new Error(`the command ${seen.status}: ${JSON.stringify(seen.error)}`)
}

export const sendCommand = (world: World, name: string) =>
  world.insist(() =>
    world.vendor.client.sendCommand(
      { params: world.of(name), body: { command: 'count' } },
      { idempotencyKey: `count-${name}` },
    ),
  )

async function leaves(world: World, name: string): Promise<void> {
  const { client } = world.vendor
  const idempotencyKey = `leave-${name}`
  await world.insist(() => client.destroyDeployment({ params: world.of(name) }, { idempotencyKey }))
  await world.until(
    () => client.listDeployments({ params: { project } }),
    ({ items }) => items.every((one) => one.name !== name),
  )
}

export const push: readonly Scenario[] = [
  {
    ...{ ...by, name: 'push-setup', base: 'vendor' as const, fromStart: true },
    async act(world) {
      await createPush(world, 'scenario')
      await pin(world, 'acme', '1.0.0')
      await rests(world, 'acme', '1.0.0')
    },
  },
  {
    ...{ ...by, name: 'push-update', base: 'pushed' as const },
    async act(world) {
      await pin(world, 'acme', '1.1.0')
      await rests(world, 'acme', '1.1.0')
    },
  },
  {
    ...{ ...by, name: 'push-rollback', base: 'pushed' as const },
    async act(world) {
      await pin(world, 'acme', '1.2.0')
      await goesBack(world, 'acme')
    },
  },
  {
    ...{ ...by, name: 'push-command', base: 'pushed' as const, kills: 4 },
    async act(world) {
      const { id } = await sendCommand(world, 'acme')
      await commandEnds(world, 'acme', id)
    },
  },
  {
    ...{ ...by, name: 'push-delete', base: 'pushed' as const },
    // What was deleted is shown to nobody: its chain is not asked for.
    audit: {},
    act: (world) => leaves(world, 'acme'),
  },
  {
    name: 'pull-setup',
    base: 'fresh',
    runs: ['manager', 'puller'],
    victims: ['agent', 'manager', 'host', 'postgres'],
    fromStart: true,
    audit: { manager: 'globex', agent: 'puller' },
    async act(world) {
      await pin(world, 'globex', '1.0.0')
      await rests(world, 'globex', '1.0.0')
    },
  },
  {
    name: 'pull-update',
    base: 'running',
    runs: ['manager', 'puller'],
    victims: ['agent', 'manager', 'host', 'postgres'],
    audit: { manager: 'globex', agent: 'puller' },
    async act(world) {
      await pin(world, 'globex', '1.1.0')
      await rests(world, 'globex', '1.1.0')
    },
  },
  {
    name: 'pull-command',
    base: 'running',
    kills: 4,
    runs: ['manager', 'puller'],
    // The host daemon, which runs already, writes nothing for a command.
    victims: ['agent', 'manager', 'postgres'],
    audit: { manager: 'globex', agent: 'puller' },
    async act(world) {
      const { id } = await sendCommand(world, 'globex')
      await commandEnds(world, 'globex', id)
    },
  },
  {
    name: 'pull-rollback',
    base: 'running',
    runs: ['manager', 'puller'],
    victims: ['agent', 'manager', 'host', 'postgres'],
    audit: { manager: 'globex', agent: 'puller' },
    async act(world) {
      await pin(world, 'globex', '1.2.0')
      await goesBack(world, 'globex')
    },
  },
  {
    name: 'pull-delete',
    base: 'running',
    runs: ['manager', 'puller'],
    victims: ['agent', 'manager', 'host', 'postgres'],
    audit: { agent: 'puller' },
    act: (world) => leaves(world, 'globex'),
  },
]
