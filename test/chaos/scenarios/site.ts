import { readFileSync } from 'node:fs'
import { carried, importInto, siteRests } from '../world/bases.ts'
import type { World } from '../world/world.ts'
import type { Scenario } from './scenario.ts'

const by = { runs: ['site'], victims: ['agent', 'host'], audit: { agent: 'site' } } as const

/** The whole export, read to its end. */
async function writeExport(world: World): Promise<void> {
  await world.insist(async () => {
    const response = await world.agent('site').bytes({ method: 'POST', path: '/v1/exports', body: { by: 'chaos' } })
    let size = 0
    try {
      for await (const part of response) size += (part as Buffer).length
    } catch (cause) {
      throw Object.assign(new Error('the agent ended in the middle of the export', { cause }), { retryable: true })
    }
    if (size !== Number(response.headers['content-length'])) throw new Error(`the export has ${size} bytes`)
  })
}

export const site: readonly Scenario[] = [
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
    ...{ ...by, name: 'site-command', base: 'running' as const },
    async act(world) {
      const envelope = readFileSync(carried(world, 'count.command'), 'utf8').trim()
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
    },
  },
  { ...{ ...by, name: 'site-export', base: 'running' as const }, act: writeExport },
  {
    ...{ ...by, name: 'site-delete', base: 'running' as const },
    async act(world) {
      await importInto(world, 'leave')
      await world.until(
        () => world.status('site'),
        ({ state }) => state?.phase === 'deleted',
      )
    },
  },
]
