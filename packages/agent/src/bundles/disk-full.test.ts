import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SiteWorld, until } from '../testing/site-world.ts'

const run = promisify(execFile)
const canMount = process.getuid?.() === 0 && process.platform === 'linux'
if (!canMount) console.log('not run: a bundle imported onto a full disk, because only root can mount a small one')

let world: SiteWorld
beforeAll(async () => {
  world = await SiteWorld.create()
})
afterAll(() => world[Symbol.asyncDispose]())

describe.skipIf(!canMount)('an import onto a full disk', () => {
  it('says so, applies nothing, and goes on where it was when there is room', async () => {
    const mount = world.vendor.path('mount')
    mkdirSync(mount)
    await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', mount])
    try {
      const bundle = await world.bundle(3, { size: 4_000_000 })
      const agent = await world.start(join(mount, 'agent'))
      writeFileSync(join(mount, 'other'), Buffer.alloc(17_000_000))
      const { length } = (await agent.audit(0, 500)).links
      await expect(agent.importBundle(bundle.file)).rejects.toMatchObject({ code: 'E_DISK_FULL' })
      const { order, bundles, state } = await agent.status()
      expect({ order, bundles, state }).toEqual({ order: null, bundles: [], state: null })
      expect((await agent.audit(0, 500)).links).toHaveLength(length)
      rmSync(join(mount, 'other'))
      expect(await agent.importBundle(bundle.file)).toMatchObject({ status: 'imported', generation: 3 })
      await until(
        () => agent.status(),
        ({ waits }) => waits.length > 0,
      )
      await agent.stop()
    } finally {
      await run('umount', ['-l', mount])
    }
  }, 60_000)
})
