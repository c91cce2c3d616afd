import child from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { patch } from './patch.ts'
import { mutation } from './trace.ts'

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
        const env = { ...options.env, LANDFALL_CHAOS: process.env.LANDFALL_CHAOS, LANDFALL_CHAOS_PROCESS: 'host' }
        const started = original.call(this, file, ['--import', main, ...given], { ...options, env })
        done()
        return started
      },
  )
  syncBuiltinESMExports()
}
