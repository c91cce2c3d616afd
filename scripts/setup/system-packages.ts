import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface SystemPackage {
  /** What it is for, in the words of `not run: X`. */
  purpose: string
  /** Any of these on PATH, or as absolute paths, will do. */
  commands: readonly string[]
  debian: string
}

export const chromium: SystemPackage = {
  purpose: 'browser tests',
  commands: [
    process.env.CHROMIUM_PATH ?? 'chromium',
    'chromium',
    'chromium-browser',
    'google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  debian: 'chromium',
}
export const skopeo: SystemPackage = { purpose: 'reading releases with skopeo', commands: ['skopeo'], debian: 'skopeo' }
export const git: SystemPackage = { purpose: 'provenance from git', commands: ['git'], debian: 'git' }

export const openssl: SystemPackage = { purpose: 'a private authority', commands: ['openssl'], debian: 'openssl' }
export const iproute: SystemPackage = {
  purpose: 'a network namespace',
  commands: ['ip', '/sbin/ip', '/usr/sbin/ip'],
  debian: 'iproute2',
}

const postgresHome = '/usr/lib/postgresql'
/** Read each time: the packages may be installed only now. Newest first. */
const versions = () => (existsSync(postgresHome) ? readdirSync(postgresHome).sort((a, b) => Number(b) - Number(a)) : [])
/** The system's PostgreSQL: the one from npm has no `pg_basebackup`. */
export const debianPostgres: SystemPackage = {
  purpose: 'promoting a synchronous standby',
  get commands() {
    return versions().map((version) => join(postgresHome, version, 'bin', 'pg_basebackup'))
  },
  debian: 'postgresql',
}

export function find(pkg: SystemPackage): string | null {
  for (const command of pkg.commands) {
    if (command.startsWith('/')) {
      if (existsSync(command)) return command
      continue
    }
    for (const directory of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(directory, command)
      if (existsSync(path)) return path
    }
  }
  return null
}

/**
 * Makes sure the packages are there: installs what is missing with apt when root on Debian, else says how. Returns what
 * is still missing, as lines `not run: X, because Y`; with `CI=true` the caller treats them as failures.
 */
export function ensure(packages: readonly SystemPackage[]): string[] {
  const missing = packages.filter((pkg) => find(pkg) === null)
  if (missing.length === 0) return []
  const names = missing.map((pkg) => pkg.debian)
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log(`installing system packages: ${names.join(', ')}`)
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    spawnSync('apt-get', ['update', '-q'], { stdio: 'ignore', env: environment, timeout: 300_000 })
    try {
      execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...names], {
        stdio: 'ignore',
        env: environment,
        timeout: 900_000,
      })
    } catch {
      console.log(`apt-get could not install ${names.join(', ')}`)
    }
  }
  return missing
    .filter((pkg) => find(pkg) === null)
    .map(
      (pkg) =>
        `not run: ${pkg.purpose}, because none of ${[...new Set(pkg.commands)].join(', ')} was found (apt-get install ${pkg.debian})`,
    )
}
