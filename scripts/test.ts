import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { chromium, debianPostgres, ensure, find, git, iproute, openssl, skopeo } from './setup/system-packages.ts'

/**
 * `npm test`: set-up, types, lint, the web build, every test, the browser tests and the story, then what failed once more with its reason,
 * and one closing line `N passed, N failed`. `npm test -- PATH…` runs only the tests below PATH.
 */
const only = process.argv.slice(2)
const started = Date.now()
const root = join(import.meta.dirname, '..')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
let passed = 0
let failed = 0
const notes: string[] = []
const reasons: string[] = []

const missing = ensure([chromium, skopeo, git, openssl, iproute, debianPostgres])
const browser = find(chromium)
const environment = { ...process.env, ...(browser ? { CHROMIUM_PATH: browser } : {}), FORCE_COLOR: '0' }

if (only.length > 0) tests('tests', [...only])
else {
  stage('types', npm, ['run', '--silent', 'typecheck'])
  stage('lint', npm, ['run', '--silent', 'lint'])
  stage('web build', npm, ['run', '--silent', 'build', '-w', '@landfall/web'])
  tests('tests', [])
  if (browser) tests('browser tests', ['--config', join(root, 'packages', 'web', 'vitest.config.ts')])
  stage('the story, with the embedded PostgreSQL', process.execPath, [join(root, 'scripts', 'start.ts'), '--exit'])
  if (process.env.CI === 'true') {
    stage('the story, with a PostgreSQL of its own', process.execPath, [
      join(root, 'scripts', 'story-on-own-postgres.ts'),
    ])
  }
}

if (missing.length > 0 && process.env.CI === 'true') failed += missing.length
for (const line of [...reasons, ...missing, ...notes]) console.log(line)
console.log(`took ${Math.round((Date.now() - started) / 1000)} s`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

/** One command that passes or fails; what it printed is shown when it fails. */
function stage(name: string, command: string, args: string[]): void {
  const at = Date.now()
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'pipe',
    encoding: 'utf8',
    env: environment,
    timeout: 900_000,
  })
  const ok = result.status === 0
  if (ok) passed++
  else failed++
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - at) / 1000).toFixed(1)} s)`)
  if (!ok) reasons.push(`FAIL ${name}\n${`${result.stdout}\n${result.stderr}`.trim().slice(-20_000)}`)
}

interface Report {
  numPassedTests: number
  numFailedTests: number
  numTotalTests: number
  numPendingTests: number
  testResults: {
    name: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] | null }[]
  }[]
}

/** Each failed test, or file that could not be loaded, with the beginning of its reason: logs are often kept by their end only. */
function failuresOf({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const path = relative(root, name)
    const tests = assertionResults
      .filter(({ status }) => status === 'failed')
      .map((test) => `FAIL ${path} > ${test.fullName}\n${(test.failureMessages ?? []).join('\n').slice(0, 4_000)}`)
    return message ? [`FAIL ${path}\n${message.slice(0, 4_000)}`, ...tests] : tests
  })
}

/** One run of vitest, its tests counted. */
function tests(name: string, args: string[]): void {
  const report = mkdtempSync(join(tmpdir(), 'landfall-test-'))
  const file = join(report, 'vitest.json')
  console.log(`     ${name}`)
  const run = spawnSync(
    join(root, 'node_modules', '.bin', 'vitest'),
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
    { cwd: root, stdio: 'inherit', env: environment, timeout: 30 * 60_000 },
  )
  const before = failed
  try {
    const results: Report = JSON.parse(readFileSync(file, 'utf8'))
    passed += results.numPassedTests
    failed += results.numFailedTests
    reasons.push(...failuresOf(results))
    if (results.numTotalTests === 0) failed++
    if (results.numPendingTests > 0) notes.push(`${name}: ${results.numPendingTests} skipped`)
  } catch {
    failed++
  }
  // A file that could not even be loaded, or an error outside of every test.
  if (run.status !== 0 && failed === before) failed++
  rmSync(report, { recursive: true, force: true })
}
