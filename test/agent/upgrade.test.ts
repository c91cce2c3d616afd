import { join } from 'node:path'
import { type Manager, openDatabase, startManager } from '@landfall/manager'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentWorld, until } from '../harness/agent-world.ts'

let world: AgentWorld
const others: Manager[] = []
beforeAll(async () => {
  world = await AgentWorld.start()
})
afterAll(async () => {
  for (const manager of others) await manager.stop()
  await world.stop()
})

const another = () =>
  startManager({
    dataDir: join(world.directory, 'other'),
    masterKeyFile: join(world.directory, 'master.key'),
    port: 0,
    databaseUrl: world.database,
    webDirectory: null,
  })
const onTarget = (version: string) =>
  until(
    () => world.view('one'),
    ({ phase, actual, generation }) =>
      phase === 'running' && actual?.version === version && generation.observed === generation.requested,
  )

describe('the schema under a fleet that runs', () => {
  it('is brought on once by managers that start together, and agents go on', { timeout: 120_000 }, async () => {
    const setup = await world.deploy('one')
    await world.publish('1.0.0')
    await world.tell('one', '1.0.0')
    const agent = await world.agent({ directory: world.site(), setup })
    await onTarget('1.0.0')
    const address = (await agent.status()).state?.workers.api?.url ?? ''
    const { port } = world
    await world.manager.stop()

    // As the version before left it.
    const { pool, close } = openDatabase(world.database, { size: 2 })
    try {
      await pool.query('alter table agents drop column restored')
      await pool.query('delete from schema_migrations where version = 15')
      const [second] = await Promise.all([another(), world.startAgain(port)])
      others.push(second)
      const { rows } = await pool.query('select name from schema_migrations where version = 15')
      expect(rows).toEqual([{ name: 'restored' }])
      expect(await (await fetch(address)).text()).toBe('1.0.0 secret-of-one')
      await world.publish('2.0.0')
      await world.tell('one', '2.0.0')
      await onTarget('2.0.0')

      // A newer manager has been here: an older one is refused, and what runs goes on.
      await pool.query(
        `insert into schema_migrations (version, name, checksum) values (9999, 'later', repeat('0', 64))`,
      )
      await expect(another()).rejects.toMatchObject({ code: 'E_SCHEMA_NEWER' })
      await world.publish('3.0.0')
      await world.tell('one', '3.0.0')
      await onTarget('3.0.0')
      expect((await agent.status()).problems).toEqual([])
    } finally {
      await close()
    }
  })
})
