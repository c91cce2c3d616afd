import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, ensure, find, git, skopeo } from './setup/system-packages.ts'

/**
 * `npm test`: set-up, types, lint, the web build and every test, then one closing line `N passed, N failed`.
 * `npm test -- PATH…` runs only the tests below PATH.
 */
const only = process.argv.slice(2)
const started = Date.now()
const bin = (name: string) => join(import.meta.dirname, '..', 'node_modules', '.bin', name)

const missing = ensure([chromium, skopeo, git])
const browser = find(chromium)
const environment = { ...process.env, ...(browser ? { CHROMIUM_PATH: browser } : {}), FORCE_COLOR: '0' }

interface Stage {
  name: string
  command: string
  args: string[]
}
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const stages: Stage[] = [
  { name: 'types', command: npm, args: ['run', '--silent', 'typecheck'] },
  { name: 'lint', command: npm, args: ['run', '--silent', 'lint'] },
  { name: 'web build', command: npm, args: ['run', '--silent', 'build', '-w', '@landfall/web'] },
]

let passed = 0
let failed = 0
const notes: string[] = []
for (const stage of only.length > 0 ? [] : stages) {
  const at = Date.now()
  const result = spawnSync(stage.command, stage.args, {
    stdio: 'pipe',
    encoding: 'utf8',
    env: environment,
    timeout: 600_000,
  })
  const ok = result.status === 0
  if (ok) passed++
  else failed++
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${stage.name} (${((Date.now() - at) / 1000).toFixed(1)} s)`)
  if (!ok) console.log(`${result.stdout}\n${result.stderr}`.trim().slice(-20_000))
}

const report = mkdtempSync(join(tmpdir(), 'landfall-test-'))
const file = join(report, 'vitest.json')
const run = spawnSync(
  bin('vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...only],
  { stdio: 'inherit', env: environment, timeout: 35 * 60_000 },
)
try {
  const results = JSON.parse(readFileSync(file, 'utf8'))
  passed += results.numPassedTests
  failed += results.numFailedTests
  if (results.numTotalTests === 0) failed++
  if (results.numPendingTests > 0) notes.push(`skipped: ${results.numPendingTests} tests`)
} catch {
  failed++
}
if (run.status !== 0 && failed === 0) failed++
rmSync(report, { recursive: true, force: true })

if (missing.length > 0 && process.env.CI === 'true') failed += missing.length
for (const line of [...missing, ...notes]) console.log(line)
console.log(`took ${Math.round((Date.now() - started) / 1000)} s`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
