import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removePostgres, startPostgres } from '@landfall/postgres'
import { broken, type Fence } from './fence.ts'
import { type RunIn, runTests, type TestRun } from './run-tests.ts'
import { makeScratch } from './scratch.ts'

export interface Proof {
  name: string
  file: string
  /** Whether its tests are green with it, and red by an assertion for want of it. */
  red: boolean
  /** Where not: why not. */
  why: string | null
  /** The first tests that failed without it. */
  failed: string[]
  ms: number
}

export interface ProveOptions {
  /** So many at once, each in a copy of its own. */
  jobs: number
  /** First, once: whether their tests are green with everything in place. Without it somebody else has to look. */
  whole: boolean
  onProof?: (proof: Proof) => void
  signal?: AbortSignal
}

const limitMs = 300_000

/**
 * Takes each fence away, alone, in a copy of the repository as it stands, and looks whether its tests notice. All of them share one
 * PostgreSQL, each file with databases of its own.
 */
export async function prove(fences: readonly Fence[], options: ProveOptions): Promise<Proof[]> {
  const given = process.env.LANDFALL_TEST_DATABASE_URL
  if (given) return proveAll(fences, options, given)
  const directory = await mkdtemp(join(tmpdir(), 'landfall-fences-db-'))
  try {
    return await proveAll(fences, options, (await startPostgres({ directory })).url)
  } finally {
    await removePostgres(directory)
  }
}

async function proveAll(fences: readonly Fence[], options: ProveOptions, database: string): Promise<Proof[]> {
  const { signal, onProof } = options
  const queue = [...fences]
  const proofs = new Map<string, Proof>()
  let whole: Promise<TestRun | null> | null = null
  const lanes = Array.from({ length: Math.min(options.jobs, queue.length) }, async () => {
    const scratch = makeScratch()
    const where = { directory: scratch.directory, database, signal }
    try {
      whole ??= options.whole ? runWhole(where, fences) : Promise.resolve(null)
      const green = await whole
      for (let next = queue.shift(); next && !signal?.aborted; next = queue.shift()) {
        const proof = await proveOne(next, where, green)
        proofs.set(next.name, proof)
        onProof?.(proof)
      }
    } finally {
      scratch.remove()
    }
  })
  const ended = await Promise.allSettled(lanes)
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason
  return fences.flatMap(({ name }) => proofs.get(name) ?? [])
}

function runWhole(where: RunIn, fences: readonly Fence[]): Promise<TestRun> {
  const tests = [...new Set(fences.flatMap((fence) => fence.tests))]
  return runTests(where, { tests, limitMs: limitMs * tests.length })
}

async function proveOne(fence: Fence, where: RunIn, whole: TestRun | null): Promise<Proof> {
  const { name, file, tests, only } = fence
  const proof = (why: string | null, failed: string[] = [], ms = 0): Proof => ({
    ...{ name, file, red: why === null, why, failed, ms },
  })
  const at = join(where.directory, file)
  const text = readFileSync(at, 'utf8')
  let without: string
  try {
    without = broken(fence, text)
  } catch (error) {
    return proof(error instanceof Error ? error.message : String(error))
  }
  if (whole) {
    const own = whole.tests.filter((test) => tests.includes(test.file) && test.name.includes(only ?? ''))
    const bad = own.filter(({ how }) => how !== 'passed').map((test) => test.name)
    if (own.length === 0) return proof(`its tests were not run: ${whole.trouble.join('; ')}`)
    if (bad.length > 0) return proof(`its tests are not green with it: ${bad.join('; ')}`)
  }
  writeFileSync(at, without)
  try {
    const run = await runTests(where, { tests, only, limitMs, untilRed: true })
    const failed = run.tests.filter(({ how }) => how === 'failed').map((test) => test.name)
    if (failed.length > 0) return proof(null, failed, run.ms)
    const why = run.trouble.length > 0 ? `red, but by no assertion: ${run.trouble.join('; ')}` : 'all stays green'
    return proof(why, [], run.ms)
  } finally {
    writeFileSync(at, text)
  }
}
