import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileStack, LandfallError, type Manifest, Stack } from '@landfall/stack'
import { build } from 'esbuild'
import { bundleError } from './bundle-error.ts'
import { esmRequire } from './esm-require.ts'
import { findConfig } from './project-file.ts'

export interface LoadedConfig {
  stack: Stack
  manifest: Manifest
  /** Absolute directory of the config: what `source` paths are relative to. */
  dir: string
  file: string
}

/**
 * Loads a project's config: bundles it to a temporary file, imports that, and compiles the stack. `@landfall/stack` is this
 * process's own copy, whatever the project has installed. Environment variables may be read in the config; each call
 * evaluates it anew.
 *
 * @param path the project's directory or its config file
 * @throws LandfallError `E_CONFIG_NOT_FOUND`, `E_CONFIG_SYNTAX`, `E_CONFIG_FAILED`, `E_CONFIG_EXPORT` (naming file and line), `E_STACK_INVALID`
 */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const { file, dir } = await findConfig(path)
  const temporary = await mkdtemp(join(tmpdir(), 'landfall-config-'))
  const out = join(temporary, 'config.mjs')
  try {
    await bundleConfig(file, dir, out)
    const module = await importConfig(out, dir)
    const stack = module.default
    if (!Stack.is(stack)) {
      throw new LandfallError({
        code: 'E_CONFIG_EXPORT',
        message: `${relative(dir, file)}:1: its default export is not a Stack.`,
        hint: "End the file with: export default new Stack('my-product', { resources: [ … ], platforms: ['local'] })",
      })
    }
    return { stack, manifest: compileStack(stack), dir, file }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function bundleConfig(file: string, dir: string, out: string): Promise<void> {
  try {
    await build({
      entryPoints: [file],
      outfile: out,
      absWorkingDir: dir,
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      sourcemap: 'external',
      logLevel: 'silent',
      banner: { js: esmRequire },
      define: {
        'import.meta.dirname': JSON.stringify(dir),
        'import.meta.filename': JSON.stringify(file),
        'import.meta.url': JSON.stringify(pathToFileURL(file).href),
      },
      plugins: [
        {
          name: 'one-stack',
          setup({ onResolve }) {
            const own = import.meta.resolve('@landfall/stack')
            onResolve({ filter: /^@landfall\/stack$/ }, () => ({ path: own, external: true }))
          },
        },
      ],
    })
  } catch (cause) {
    throw bundleError(cause, {
      code: 'E_CONFIG_SYNTAX',
      what: 'The config can not be read.',
      hint: 'Correct the file at the line that is named.',
    })
  }
}

async function importConfig(out: string, dir: string): Promise<{ default?: unknown }> {
  try {
    const module: { default?: unknown } = await import(pathToFileURL(out).href)
    return module
  } catch (cause) {
    if (LandfallError.is(cause)) throw cause
    const place = await originalPlace(cause, out, dir)
    throw new LandfallError({
      code: 'E_CONFIG_FAILED',
      message: `${place ? `${place}: ` : ''}the config failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'The config is a program that is run to learn the stack: correct it at the line that is named.',
      cause,
    })
  }
}

/** The first line of the stack trace that lies in the bundle, as `file:line:column` of the original. */
async function originalPlace(error: unknown, out: string, dir: string): Promise<string | null> {
  const trace = error instanceof Error ? (error.stack ?? '') : ''
  const match = /config\.mjs:(\d+):(\d+)/.exec(trace)
  if (!match) return null
  const map = new SourceMap(JSON.parse(await readFile(`${out}.map`, 'utf8')))
  const entry = map.findEntry(Number(match[1]) - 1, Number(match[2]) - 1)
  if (!('originalSource' in entry)) return null
  const source = resolve(dirname(out), entry.originalSource)
  return `${relative(dir, source)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
}
