import http from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { patch } from './patch.ts'
import { stable } from './place-name.ts'
import { mutation } from './trace.ts'

/** Calls that change something at a host daemon, by its control socket: done when the answer's head is there. */
export function wrapControlSocket(): void {
  patch(
    http,
    'request',
    (original) =>
      function (...args) {
        const [options] = args
        const { socketPath, method = 'GET', path = '' } = typeof options === 'object' ? options : {}
        if (!socketPath || method === 'GET') return original.apply(this, args)
        const done = mutation(`host ${method} ${stable(path)}`)
        const call = original.apply(this, args)
        call.prependOnceListener('response', done)
        return call
      },
  )
  syncBuiltinESMExports()
}
