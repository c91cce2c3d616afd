import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { benches } from '../bench/shared/benches.ts'

const run = promisify(execFile)
const number = expect.any(Number)

/** What is in the JSON of each beside its figures. */
const details: Readonly<Record<string, object>> = {
  'sync-polls.ts': { agents: 3, polls: number, ratio: number, work: number },
  'waiting-agents.ts': { agents: 20, failed: 0, publishedMs: number },
  'retarget.ts': { deployments: 20, toldMs: number, loopMs: number },
  'pull-latency.ts': { rounds: 2, held: [number, number], polled: [number, number] },
  'rows-per-update.ts': {
    push: { rows: { deployments: number, audit_entries: number, targets: 1 }, walBytes: number },
    pull: { rows: { deployments: number, audit_entries: number, targets: 1 }, walBytes: number },
  },
  'verdicts.ts': { rollouts: 10, falseAborts: expect.any(Array), detections: expect.any(Array) },
}

// Without a word of how fast: that they run, against the real parts, and say what they are to say.
it.each(benches)('bench/$file runs', { timeout: 240_000 }, async ({ file, smallest }) => {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, '..', 'bench', file), ...smallest])
  const said = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  expect(said).toMatchObject(details[file] ?? { missing: file })
  expect(said.figures.length).toBeGreaterThan(0)
  for (const figure of said.figures) {
    expect(figure).toEqual({
      what: expect.any(String),
      measured: number,
      unit: expect.any(String),
      target: expect.any(String),
      met: figure.met,
    })
    expect(figure.measured).toBeGreaterThanOrEqual(0)
    expect([true, false, null]).toContain(figure.met)
  }
})
