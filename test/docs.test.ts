import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removePostgres } from '@landfall/postgres'
import { afterEach, describe, expect, it } from 'vitest'

/** Runs what stands in the docs: every `sh` block after `<!-- run -->`, a page's blocks in one shell, in a folder and HOME of its own. */
const root = join(import.meta.dirname, '..')
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]

function scriptOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/<!-- run -->\n```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
}

const directories: string[] = []
afterEach(async () => {
  for (const directory of directories.splice(0)) {
    for (const data of ['manager', 'again']) await removePostgres(join(directory, data, 'postgres'))
    rmSync(directory, { recursive: true, force: true })
  }
})

function run(script: string, directory: string): Promise<{ code: number | null; output: string }> {
  return new Promise((done) => {
    const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
      cwd: directory,
      // Its own process group: whatever a page leaves running is ended with it.
      detached: true,
      env: {
        PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
        HOME: directory,
        LANG: 'C.UTF-8',
        ...(process.env.DATABASE_URL && { DATABASE_URL: process.env.DATABASE_URL }),
      },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    const deadline = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), 400_000)
    child.once('exit', (code) => {
      clearTimeout(deadline)
      done({ code, output })
    })
  })
}

describe('the docs', () => {
  it('have something to run', () => {
    expect(pages.flatMap(scriptOf).length).toBeGreaterThan(5)
  })

  it('name only files that are there', () => {
    const words = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md']
    for (const page of words) {
      const text = readFileSync(join(root, page), 'utf8')
      const named = [...text.matchAll(/`((?:packages|scripts|docs|test|bench|examples)\/[\w./-]+)`|\]\(([\w./-]+)\)/g)]
      const missing = named.map((match) => match[1] ?? match[2] ?? '').filter((path) => !existsSync(join(root, path)))
      expect(missing, page).toEqual([])
    }
  })

  for (const page of pages.filter((name) => scriptOf(name).length > 0)) {
    it(`${page} does what it says`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'landfall-docs-'))
      directories.push(directory)
      // As in a checkout: `npx landfall` finds the command in the folder's own node_modules.
      symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
      const script = scriptOf(page)
        .map((block) => `set -x\n${block}\n{ set +x; } 2>/dev/null`)
        .join('\n')
      const { code, output } = await run(script, directory)
      expect(code, output).toBe(0)
    }, 410_000)
  }
})
