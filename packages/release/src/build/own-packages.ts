import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'

/**
 * Resolves the packages of Landfall that a project may import: from the project where it has them, else from where this
 * package is installed, so that a project works before its own `npm install`.
 */
export function ownPackages(): Plugin {
  const inner = Symbol('inner')
  return {
    name: 'landfall-packages',
    setup(build) {
      build.onResolve({ filter: /^@landfall\/(stack|runtime)$/ }, async ({ path, resolveDir, kind, pluginData }) => {
        if (pluginData === inner) return undefined
        const found = await build.resolve(path, { resolveDir, kind, pluginData: inner })
        if (found.errors.length === 0) return found
        return { path: fileURLToPath(import.meta.resolve(path)) }
      })
    },
  }
}
