import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

/** A copy of the repository as it stands, whose packages are its own and whose dependencies are those of the original. */
export interface Scratch {
  directory: string
  remove(): void
}

const left = new Set(['node_modules', '.git', '.landfall', 'coverage'])
/** Written by whoever runs there. */
const caches = new Set(['.vite', '.vite-temp', '.cache'])

export function makeScratch(): Scratch {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-fences-'))
  try {
    cpSync(root, directory, { recursive: true, verbatimSymlinks: true, filter: (from) => !left.has(basename(from)) })
    linkDependencies(join(root, 'node_modules'), join(directory, 'node_modules'))
    for (const inner of nested(join(root, 'packages'))) {
      symlinkSync(inner, join(directory, relative(root, inner)), 'dir')
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** What leads into the repository leads into the copy; all else to where it was installed. */
function linkDependencies(from: string, to: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    if (caches.has(name)) continue
    const at = join(from, name)
    const isLink = lstatSync(at).isSymbolicLink()
    if (name.startsWith('@') && !isLink) linkDependencies(at, join(to, name))
    else symlinkSync(isLink ? readlinkSync(at) : at, join(to, name))
  }
}

/** Dependencies of single packages, where npm could not share them. */
function nested(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory() || entry.name === 'src') return []
    const at = join(directory, entry.name)
    if (entry.name === 'node_modules') return [at]
    return existsSync(join(at, 'package.json')) || entry.name === 'platforms' ? nested(at) : []
  })
}
