import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { bundleError } from './bundle-error.ts'
import { esmRequire } from './esm-require.ts'

/**
 * Bundles a program of ours with all that it imports into one ESM file for Node 24. The same sources give the same bytes.
 *
 * @param options.entry absolute path of the file that runs it
 * @param options.define names in the code that become a constant
 * @param options.without packages that it never uses, although a module that it uses imports them: their exports throw
 * @throws LandfallError `E_BUILD_SOURCE`
 */
export async function bundleProgram(options: {
  entry: string
  define?: Readonly<Record<string, string>>
  without?: readonly string[]
}): Promise<Uint8Array> {
  const entry = await realpath(options.entry)
  const define = Object.entries(options.define ?? {}).map(([name, value]) => [name, JSON.stringify(value)])
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    outfile: 'program.mjs',
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // As with workers: unminified output holds the paths of modules.
    minify: true,
    keepNames: true,
    legalComments: 'eof',
    // V8 keeps a source with a single character beyond Latin-1 in two bytes for each: 2 MB of memory for a few words.
    charset: 'ascii',
    logLevel: 'silent',
    banner: { js: esmRequire },
    define: Object.fromEntries(define),
    plugins: [leaveOut(options.without ?? []), englishOnly()],
  }).catch((cause: unknown) => {
    throw bundleError(cause, {
      code: 'E_BUILD_SOURCE',
      what: `The program ${options.entry} can not be bundled.`,
      hint: 'Install the packages of this installation again (`npm ci`).',
    })
  })
  // What is left beyond ASCII stands in legal comments: letters lose their accents.
  const text = result.outputFiles[0]?.text ?? ''
  return Buffer.from(text.normalize('NFD').replace(/\P{ASCII}/gu, ''))
}

/** In place of a package: an object of which every use throws with its name. */
function leaveOut(names: readonly string[]): Plugin {
  return {
    name: 'leave-out',
    setup(build) {
      for (const name of names) {
        build.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: 'left-out' }))
      }
      build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
        // CommonJS, because its exports need no list.
        contents: `module.exports = new Proxy({}, { get(_, key) { if (key === '__esModule' || typeof key === 'symbol') return undefined
          return () => { throw new Error(${JSON.stringify(`${path} is not part of this program`)}) } } })`,
        loader: 'js',
      }))
    },
  }
}

/** zod brings its messages in forty languages, as one object that nothing can be left out of; ours are English. */
function englishOnly(): Plugin {
  return {
    name: 'english-only',
    setup(build) {
      build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
        contents: "export { default as en } from './en.js'",
        loader: 'js',
        resolveDir: dirname(path),
      }))
    },
  }
}
