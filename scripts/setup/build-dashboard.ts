import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const web = join(import.meta.dirname, '..', '..', 'packages', 'web')

/** Builds the dashboard where its build is missing or older than its sources. */
export async function buildDashboard(say: (text: string) => void): Promise<void> {
  const built = join(web, 'dist', 'index.html')
  if (existsSync(built) && statSync(built).mtimeMs > newest(join(web, 'src'))) return
  say('building the dashboard')
  await new Promise<void>((done, reject) => {
    const child = spawn(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['run', '--silent', 'build'], {
      cwd: web,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.once('exit', (code) =>
      code === 0 ? done() : reject(new Error(`the dashboard could not be built:\n${output.slice(-4000)}`)),
    )
  })
}

function newest(directory: string): number {
  return Math.max(
    0,
    ...readdirSync(directory, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  )
}
