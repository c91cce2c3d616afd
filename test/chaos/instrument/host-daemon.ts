import child from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { patch } from './patch.ts'
import { mutation, processName } from './trace.ts'

const main = join(import.meta.dirname, 'main.ts')

/** The daemon that the product starts gets nothing of our environment, so the instrument is handed on here. */
export function wrapHostDaemon(): void {
  patch(
    child,
    'spawn',
    (original) =>
      function (...args) {
        const [file, given, options] = args
        if (!Array.isArray(given) || !given.some((one) => String(one).endsWith('/host/main.ts'))) {
          return original.apply(this, args)
        }
        const done = mutation('start of the host daemon')
        const { LANDFALL_CHAOS, NODE_COMPILE_CACHE } = process.env
        const ours = { LANDFALL_CHAOS, NODE_COMPILE_CACHE, LANDFALL_CHAOS_PROCESS: `${processName}-host` }
        const env = { ...options.env, ...ours }
        const started = original.call(this, file, ['--import', main, ...given], { ...options, env })
        done()
        return started
      },
  )
  syncBuiltinESMExports()
}
