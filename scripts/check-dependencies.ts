import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Holds the downward rule of ARCHITECTURE.md: a package imports only packages below it, and only what its package.json names. */
const below: Record<string, readonly string[]> = {
  stack: [],
  rollout: [],
  runtime: [],
  postgres: ['stack'],
  engine: ['stack', 'rollout'],
  release: ['stack'],
  telemetry: ['stack'],
  contract: ['stack', 'rollout'],
  'platform-local': ['engine', 'rollout', 'stack', 'postgres', 'runtime'],
  agent: ['stack', 'rollout', 'engine', 'release', 'contract', 'telemetry', 'platform-local'],
  manager: ['stack', 'rollout', 'engine', 'release', 'contract', 'telemetry', 'platform-local', 'postgres'],
  cli: ['stack', 'rollout', 'contract', 'release', 'manager', 'agent', 'engine', 'platform-local'],
  web: ['contract', 'stack', 'rollout'],
}

const root = join(import.meta.dirname, '..')
const problems: string[] = []

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name === 'template') return []
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.(ts|tsx)$/.test(entry.name) ? [path] : []
  })
}

const packages = ['packages', 'packages/platforms'].flatMap((parent) =>
  readdirSync(join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'platforms')
    .map((entry) => join(root, parent, entry.name)),
)

for (const directory of packages) {
  const description = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const name = description.name.replace('@landfall/', '')
  const allowed = below[name]
  if (!allowed) {
    problems.push(
      `${relative(root, directory)}: not in the table of scripts/check-dependencies.ts; add it with what is below it`,
    )
    continue
  }
  const named = new Set([
    ...Object.keys(description.dependencies ?? {}),
    ...Object.keys(description.devDependencies ?? {}),
  ])
  for (const file of sources(directory)) {
    const test = /\.test\.tsx?$|\/(testing|e2e)\//.test(file)
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      const where = relative(root, file)
      if (specifier.startsWith('.')) {
        const target = join(file, '..', specifier)
        if (relative(directory, target).startsWith('..') && !test)
          problems.push(`${where}: reaches out of its package by ${specifier}`)
        continue
      }
      if (!specifier.startsWith('@landfall/')) continue
      const other = specifier.split('/')[1] ?? ''
      if (other === name) continue
      if (!allowed.includes(other) && !test) problems.push(`${where}: ${name} must not depend on ${other}`)
      if (!named.has(`@landfall/${other}`) && !test)
        problems.push(`${where}: @landfall/${other} is not in package.json`)
    }
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'))
  process.exit(1)
}
console.log(`dependencies point downward in ${packages.length} packages`)
