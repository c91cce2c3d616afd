import { readFile, realpath } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { bundleError } from '../build/bundle-error.ts'
import { esmRequire } from '../build/esm-require.ts'
import { ownPackages } from '../build/own-packages.ts'
import { workerEntry } from '../build/worker-image.ts'
import { type LicenceChoice, licenceOf } from './licence.ts'

export interface NpmPackage {
  name: string
  version: string
  licences: LicenceChoice[]
}

/**
 * The npm packages of which code is in a worker's bundle, sorted by name and version. Bundles the worker once more, as
 * `bundleWorker` does, because that keeps the list of modules to itself; `releaseSbom` checks that both saw the same packages.
 *
 * @param options.dir the project's directory
 * @param options.entry path of the worker's source, relative to `dir`
 * @throws LandfallError `E_BUILD_SOURCE`
 */
export async function workerPackages(options: { dir: string; entry: string }): Promise<NpmPackage[]> {
  const dir = await realpath(options.dir)
  // A name in generated code: this package itself does not use the runtime.
  const runtime = JSON.stringify('@landfall/runtime')
  const specifier = `./${relative(dir, resolve(dir, options.entry)).split(sep).join('/')}`
  const result = await build({
    stdin: {
      contents: `import { start } from ${runtime}\nimport * as user from ${JSON.stringify(specifier)}\nawait start(user)\n`,
      sourcefile: 'landfall-entry.ts',
      resolveDir: dir,
      loader: 'ts',
    },
    absWorkingDir: dir,
    outfile: join(dir, workerEntry),
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    keepNames: true,
    logLevel: 'silent',
    banner: { js: esmRequire },
    plugins: [ownPackages()],
  }).catch((cause: unknown) => {
    throw bundleError(cause, {
      code: 'E_BUILD_SOURCE',
      what: `The packages of ${options.entry} can not be listed.`,
      hint: 'Correct the file at the line that is named. Packages it imports must be installed in the project.',
    })
  })
  return packagesOf(result.metafile, dir)
}

/** The packages that files of a metafile with bytes in the output belong to. Files of the project itself belong to none. */
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
