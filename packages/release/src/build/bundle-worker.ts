import { readFile, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { type Digest, digestOf, LandfallError, sha256 } from '@landfall/stack'
import { build, type Metafile } from 'esbuild'
import { type NpmPackage, packagesOf } from '../sbom/npm-packages.ts'
import { bundleError } from './bundle-error.ts'
import { esmRequire } from './esm-require.ts'
import { ownPackages } from './own-packages.ts'
import { workerEntry } from './worker-image.ts'

export interface WorkerBundle {
  /** File name → content; `index.mjs` is the one to run, `index.mjs.map` its source map without the sources' text. */
  files: Readonly<Record<string, Uint8Array>>
  /** Digest of the sorted list of [name, digest] of every source file that went in. */
  inputs: Digest
  /** npm packages of which code is in it. */
  packages: NpmPackage[]
}

/**
 * Bundles a worker into one ESM file for Node 24. The same sources give the same bytes in any directory at any time:
 * names in the source map are relative to the project or to their package, and nothing else of the place gets in.
 *
 * @param options.dir the project's absolute directory
 * @param options.entry path of the worker's source, relative to `dir`
 * @throws LandfallError `E_BUILD_SOURCE`, naming file and line
 */
export async function bundleWorker(options: { name: string; dir: string; entry: string }): Promise<WorkerBundle> {
  const dir = await realpath(options.dir)
  const entry = resolve(dir, options.entry)
  if (relative(dir, entry).startsWith('..') || isAbsolute(relative(dir, entry))) throw outside(options)
  const result = await bundle(dir, entry).catch((cause: unknown) => {
    throw bundleError(cause, {
      code: 'E_BUILD_SOURCE',
      what: `The worker ${options.name} can not be built.`,
      hint: 'Correct the file at the line that is named. Packages it imports must be installed in the project.',
    })
  })
  const content = new Map(
    result.outputFiles.map((file) => [file.path.endsWith('.map') ? 'map' : 'code', file.contents]),
  )
  const code = content.get('code') ?? new Uint8Array()
  const map = await normaliseMap(content.get('map') ?? new Uint8Array(), dir)
  return {
    files: { [workerEntry]: code, [`${workerEntry}.map`]: map },
    inputs: await inputsDigest(result.metafile, dir),
    packages: await packagesOf(result.metafile, dir),
  }
}

function bundle(dir: string, entry: string) {
  // A name in generated code: this package itself does not use the runtime.
  const runtime = JSON.stringify('@landfall/runtime')
  const specifier = JSON.stringify(`./${relative(dir, entry).split(sep).join('/')}`)
  return build({
    stdin: {
      // The runtime first: it makes OpenTelemetry's API work, and code may make its instruments while it is imported.
      contents: `import { start } from ${runtime}\nimport * as user from ${specifier}\nawait start(user)\n`,
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
    // Not for size alone: unminified output holds the paths of modules in comments and names.
    minify: true,
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    sourcemap: 'linked',
    // The customer gets line numbers, not the vendor's source.
    sourcesContent: false,
    logLevel: 'silent',
    banner: { js: esmRequire },
    plugins: [ownPackages()],
  })
}

async function normaliseMap(bytes: Uint8Array, dir: string): Promise<Uint8Array> {
  const map: { sources: string[]; [key: string]: unknown } = JSON.parse(new TextDecoder().decode(bytes))
  const sources = []
  for (const source of map.sources) sources.push(await stableName(resolve(dir, source), dir))
  return new TextEncoder().encode(JSON.stringify({ ...map, sources }))
}

async function inputsDigest(metafile: Metafile, dir: string): Promise<Digest> {
  const list: [string, Digest][] = []
  for (const path of Object.keys(metafile.inputs)) {
    const absolute = resolve(dir, path)
    const bytes = await readFile(absolute).catch(() => null)
    // The generated entry is no file; it is determined by the worker's path.
    if (bytes) list.push([await stableName(absolute, dir), sha256(bytes)])
  }
  return digestOf(list.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** A name for a source file that does not depend on where the project or a package lies. */
async function stableName(file: string, dir: string): Promise<string> {
  const inProject = relative(dir, file).split(sep).join('/')
  if (!inProject.startsWith('../') && !inProject.startsWith('node_modules/')) return inProject
  for (let at = dirname(file); ; at = dirname(at)) {
    const text = await readFile(join(at, 'package.json'), 'utf8').catch(() => null)
    const name: unknown = text === null ? undefined : JSON.parse(text).name
    if (typeof name === 'string') return `node_modules/${name}/${relative(at, file).split(sep).join('/')}`
    if (dirname(at) === at) return file.split(sep).at(-1) ?? 'unknown'
  }
}

function outside({ name, entry }: { name: string; entry: string }): LandfallError {
  return new LandfallError({
    code: 'E_BUILD_SOURCE',
    message: `The source of the worker ${name} lies outside of the project: ${entry}.`,
    hint: 'Give a path below the directory of landfall.config.ts.',
    subject: `resource:${name}`,
  })
}
