import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

export interface TestRun {
  tests: { file: string; name: string; how: 'passed' | 'failed' | 'troubled' }[]
  /** What was wrong beside assertions: a file that does not load, a hook, a time limit, no test at all. */
  trouble: string[]
  ms: number
}

export interface RunIn {
  /** A copy of the repository. */
  directory: string
  /** A PostgreSQL on which each file makes databases of its own. */
  database: string
  signal?: AbortSignal | undefined
}

/** What a run of vitest says as JSON, as far as it is read here. */
interface Report {
  testResults: {
    name: string
    status: string
    message?: string
    assertionResults: { fullName: string; status: string; failureMessages: string[] | null }[]
  }[]
}

/** Of a test that says what it expected, by itself or for a property. */
const assertion = /AssertionError|Property failed after|^Error: promise (resolved|rejected) /m

/** Runs these test files there, as `npm test` would; up to the first that fails, with `untilRed`. Longer than `limitMs`, it is ended. */
export async function runTests(
  where: RunIn,
  of: { tests: readonly string[]; only?: string | undefined; limitMs: number; untilRed?: boolean },
): Promise<TestRun> {
  const { directory } = where
  const report = join(directory, 'fences-report.json')
  rmSync(report, { force: true })
  const startedAt = performance.now()
  const args = ['run', '--reporter=json', `--outputFile=${report}`, ...of.tests]
  if (of.only !== undefined) args.push('-t', of.only.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  if (of.untilRed) args.push('--bail=1')
  const said = await vitest(where, args, of.limitMs)
  where.signal?.throwIfAborted()
  const run: TestRun = { tests: [], trouble: [], ms: Math.round(performance.now() - startedAt) }
  let read: Report
  try {
    read = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return { ...run, trouble: [`no report: ${said.slice(-2_000)}`] }
  }
  for (const { name: path, status, message, assertionResults } of read.testResults) {
    const file = relative(directory, path)
    for (const { fullName: name, status: result, failureMessages } of assertionResults) {
      if (result !== 'passed' && result !== 'failed') continue
      const why = failureMessages?.join('\n') ?? ''
      const how = result === 'passed' ? 'passed' : assertion.test(why) ? 'failed' : 'troubled'
      run.tests.push({ file, name, how })
      if (how === 'troubled') run.trouble.push(`${name}: ${why.slice(0, 500)}`)
    }
    if (status === 'failed' && assertionResults.every((one) => one.status !== 'failed')) {
      run.trouble.push(`${file}: ${message?.slice(0, 1_000) || 'did not load'}`)
    }
  }
  if (run.tests.length + run.trouble.length === 0) run.trouble.push('no test was run')
  return run
}

function vitest({ directory, database, signal }: RunIn, args: readonly string[], timeout: number): Promise<string> {
  // A vitest that starts a vitest: the inner one must not take itself for a part of the outer one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV$)/.test(name)),
  )
  const program = join(directory, 'node_modules', 'vitest', 'vitest.mjs')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, FORCE_COLOR: '0', LANDFALL_TEST_DATABASE_URL: database },
      timeout,
      signal,
    })
    let said = ''
    const hear = (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-20_000)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', (error) => (signal?.aborted ? undefined : reject(error)))
    child.once('close', () => resolve(said))
  })
}
