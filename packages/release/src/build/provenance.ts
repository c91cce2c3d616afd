import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { sha256 } from '@landfall/stack'
import type { Provenance } from '../statement/statement.ts'

const run = promisify(execFile)

/** Commit, state of the working tree and address of the repository that `dir` lies in; all null without git. */
export async function readGit(dir: string): Promise<Pick<Provenance, 'commit' | 'dirty' | 'repository'>> {
  const commit = await git(dir, ['rev-parse', 'HEAD'])
  if (commit === null || !/^[0-9a-f]{7,64}$/.test(commit)) return { commit: null, dirty: null, repository: null }
  const status = await git(dir, ['status', '--porcelain', '--', '.', ':(exclude,glob)**/.landfall/**'])
  const origin = await git(dir, ['remote', 'get-url', 'origin'])
  return { commit, dirty: status !== '', repository: origin === null ? null : withoutCredentials(origin) }
}

/** A repository's address without user, password and query, which may be tokens. */
export function withoutCredentials(address: string): string | null {
  if (/^[\w.-]+@[\w.-]+:[\w./~-]+$/.test(address)) return address
  if (!URL.canParse(address)) return null
  const url = new URL(address)
  if (url.protocol === 'file:') return null
  return `${url.protocol}//${url.host}${url.pathname}`
}

/** Digests of the config and of the lock file that is nearest above it. */
export async function readInputs(file: string): Promise<Provenance['inputs']> {
  const inputs = [{ name: 'config', digest: sha256(await readFile(file)) }]
  for (let at = dirname(file); ; at = dirname(at)) {
    for (const name of ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock']) {
      const bytes = await readFile(join(at, name)).catch(() => null)
      if (bytes) return [...inputs, { name: `lock:${name}`, digest: sha256(bytes) }]
    }
    if (dirname(at) === at) return inputs
  }
}

async function git(dir: string, args: string[]): Promise<string | null> {
  try {
    const { stdout } = await run('git', args, { cwd: dir, timeout: 10_000, maxBuffer: 16 * 1024 * 1024 })
    return stdout.trim()
  } catch {
    // No git, no repository, or no remote: a release can be made without.
    return null
  }
}
