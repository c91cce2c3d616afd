import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runChild } from '../testing/run-child.ts'
import { SiteWorld, until } from '../testing/site-world.ts'

let world: SiteWorld
let bundle: Awaited<ReturnType<SiteWorld['bundle']>>
beforeAll(async () => {
  world = await SiteWorld.create()
  writeFileSync(world.vendor.path('setup.json'), JSON.stringify(world.setup()))
  bundle = await world.bundle(3, { size: 200_000, commands: [await world.vendor.command()] })
})
afterAll(() => world[Symbol.asyncDispose]())

async function importAndDie(directory: string, when: string): Promise<string[]> {
  const { lines, signal, errors } = await runChild('./import-child.ts', [
    directory,
    world.key.toString('hex'),
    world.vendor.path('setup.json'),
    bundle.file,
    when,
  ])
  expect(signal, errors).toBe('SIGKILL')
  return lines
}

/** The import is there once, with everything that it brings, and nothing was done twice. */
async function requireApplied(directory: string, again: boolean): Promise<void> {
  const agent = await world.start(directory)
  if (again) await agent.importBundle(bundle.file, { by: 'ada' })
  const { order, bundles, commands, problems } = await until(
    () => agent.status(),
    ({ waits }) => waits.length > 0,
  )
  expect(order?.generation).toBe(3)
  expect(bundles).toMatchObject([{ bundle: bundle.id, releases: ['1.3.0'] }])
  expect(commands.map(({ id }) => id)).toEqual(['cmd-1'])
  expect(problems).toEqual([])
  const { links } = await agent.audit(0, 500)
  for (const type of ['bundle.imported', 'order.taken']) {
    expect(
      links.filter((link) => link.type === type),
      type,
    ).toHaveLength(1)
  }
  expect((await agent.verifyAudit()).ok).toBe(true)
  expect(await agent.importBundle(bundle.file)).toMatchObject({ status: 'already', commands: ['cmd-1'] })
  await agent.stop()
}

describe('an agent that is killed', () => {
  it('in the middle of a bundle has applied nothing of it, and goes on when it is given again', async () => {
    const directory = world.vendor.path('copy')
    for (const share of ['0.2', '0.8']) {
      expect(await importAndDie(directory, share)).toEqual([])
      const agent = await world.start(directory)
      const { order, bundles, state } = await agent.status()
      expect({ order, bundles, state }).toEqual({ order: null, bundles: [], state: null })
      await agent.stop()
    }
    await requireApplied(directory, true)
  }, 60_000)

  it('between the import and any step of its application applies it at the next start, once', async () => {
    let came = false
    for (let after = 0; !came; after++) {
      const directory = world.vendor.path(`after-${after}`)
      came = (await importAndDie(directory, `after ${after}`)).includes('applied')
      if (came) expect(after).toBeGreaterThan(2)
      await requireApplied(directory, false)
    }
  }, 120_000)
})
