import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { playSeed } from './story.ts'

/** From `npm run simulate`, a form that every run of the tests bears; the long one is in docs/reliability.md. */
const seeds = 120

/** Plays seeds by the program itself, on all processors, and gives what it told. */
async function simulate(...given: string[]): Promise<{ code: number | null; told: string }> {
  const program = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, [program, '--jobs', String(availableParallelism()), ...given])
  let told = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (told += text))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, told }
}

describe('the whole system, simulated', () => {
  it(`holds its invariants in seeds 1 to ${seeds}`, { timeout: 900_000 }, async () => {
    const { code, told } = await simulate('--seeds', String(seeds), '--from', '1')
    expect(code, told).toBe(0)
    const played = [...told.matchAll(/(\d+) seeds from/g)].reduce((sum, [, count]) => sum + Number(count), 0)
    expect(played).toBe(seeds)
  })

  it('plays a seed again exactly as it was', { timeout: 120_000 }, async () => {
    const first = await playSeed(7)
    const again = await playSeed(7)
    expect(first.steps).toBeGreaterThan(1_000)
    expect(again).toEqual(first)
    expect((await playSeed(8)).hash).not.toBe(first.hash)
  })
})
