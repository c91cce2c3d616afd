import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import type { Metafile } from 'esbuild'
import { type LicenceChoice, licenceOf } from './licence.ts'

export interface NpmPackage {
  name: string
  version: string
  licences: LicenceChoice[]
}

/**
 * The npm packages of which code is in a bundle, sorted by name and version: those that files of esbuild's metafile with bytes in
 * the output belong to. Files of the project itself belong to none.
 *
 * @param dir what the metafile's paths are relative to
 */
export async function packagesOf(metafile: Metafile, dir: string): Promise<NpmPackage[]> {
  const found = new Map<string, NpmPackage>()
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const one = bytesInOutput > 0 ? await packageOf(resolve(dir, path), dir) : null
      if (one) found.set(`${one.name}@${one.version}`, one)
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

async function packageOf(file: string, dir: string): Promise<NpmPackage | null> {
  const inProject = relative(dir, file).split(sep)
  if (inProject[0] !== '..' && !inProject.includes('node_modules')) return null
  for (let at = dirname(file); ; at = dirname(at)) {
    const description = await readDescription(join(at, 'package.json'))
    // A package.json inside of a package may say only how its modules are to be read.
    if (typeof description?.name === 'string') {
      const { name, version } = description
      return { name, version: typeof version === 'string' ? version : '0.0.0', licences: licenceOf(description) }
    }
    if (dirname(at) === at) return null
  }
}

async function readDescription(file: string): Promise<Record<string, unknown> | null> {
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}
