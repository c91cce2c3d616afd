/**
 * Runs every benchmark, one after the other, each in a process of its own.
 *
 *   npm run bench                  in full; half an hour or more on two cores, most of it the verdicts
 *   npm run bench -- --small       the least that runs each: proves that they work, says nothing of speed
 *
 * Prints each one's output, then one table of all figures, and as the last line the same as JSON.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { benches } from './shared/benches.ts'
import { type Figure, origin, printFigures } from './shared/report.ts'

const small = process.argv.includes('--small')
const results: Record<string, { figures?: readonly Figure[] }> = {}
let failed = 0
for (const { file, smallest } of benches) {
  console.log(`\n── ${file}\n`)
  const output = await run(file, small ? smallest : [])
  if (output === null) failed += 1
  else results[file] = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '{}')
}
console.log('\n── All\n')
printFigures(Object.values(results).flatMap(({ figures }) => figures ?? []))
console.log(`\n${JSON.stringify({ ...origin(), small, failed, results })}`)
process.exitCode = failed === 0 ? 0 : 1

/** What it printed; null: it failed. */
function run(file: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (chunk: string) => {
      text += chunk
      process.stdout.write(chunk)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve(code === 0 ? text : null))
  })
}
